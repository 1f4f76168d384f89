// The reports of all nodes as lines of text, for the error of a failed run.

import type { NodeReport } from './node-report.ts';
import { formatTime } from './trace.ts';

/** Formats the reports of all nodes for an error: a few lines for each. */
export function describeNodes(nodes: readonly NodeReport[]): string[] {
  const shown = nodes.slice(0, NODES).flatMap(describeNode);
  if (nodes.length > NODES) shown.push(`  and ${nodes.length - NODES} more`);
  return shown;
}

function describeNode({ name, up, state, log, calls, waits, ...disk }: NodeReport): string[] {
  const lines = [`  ${name.padEnd(12)} ${up ? (state ?? 'up') : 'down'}`];
  const add = (what: string, texts: readonly string[]) => {
    if (texts.length > 0) lines.push(`    ${what.padEnd(10)} ${texts.join('; ').slice(0, WIDTH)}`);
  };
  for (const { at, text } of log.slice(-LOGGED))
    add('log', [`${formatTime(at)} ms  ${text.replaceAll(/\s+/g, ' ')}`]);
  add(
    'calls',
    calls.length > 0
      ? calls.map(({ method, to, since }) => `${method} to ${to} since ${formatTime(since)} ms`)
      : waits,
  );
  add(
    'disk',
    disk.disk.map(
      ({ key, value, size, synced }) =>
        `${key} ${value} (${size} B${synced ? '' : ', not synced'})`,
    ),
  );
  return lines;
}

/** Maximum number of nodes that an error shows. */
const NODES = 20;
/** Maximum number of log lines that an error shows for each node. */
const LOGGED = 3;
/** Maximum length of a line about a node, in characters. */
const WIDTH = 200;
