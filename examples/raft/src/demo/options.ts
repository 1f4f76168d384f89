// The demo's command line.

import { parseArgs } from 'node:util';
import { BACKENDS } from './backends.ts';

export interface DemoOptions {
  readonly transports: readonly string[];
  readonly nodes: number;
  readonly writes: number;
}

/** What runs where nothing is said: each way to carry it, and one of the secure ones. */
const DEFAULT = ['inmem', 'tcp', 'ws', 'tls'];

export const HELP = `Usage: pnpm demo [options]

Five nodes elect a leader and commit 1,000 writes; the leader is lost, another is elected and commits
1,000 more; the lost one returns and catches up by snapshot. The same code, on each backend. On tls, wss
and noise every node proves its id: one is denied and let in again, and a stranger is refused.

  --transport <names>  ${[...Object.keys(BACKENDS), 'all'].join(', ')}; several with commas
                       (default: ${DEFAULT.join(',')})
  --nodes <n>          3 to 9 (default: 5)
  --writes <n>         writes before and after the leader is lost, 1 to 100000 (default: 1000)
  --help               this text`;

/** 'help', or the options; throws an Error of one line that says what is wrong. */
export function parseOptions(args: readonly string[]): DemoOptions | 'help' {
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== '--'), // as `pnpm demo -- --nodes 3` hands it on
    options: { transport: { type: 'string', multiple: true }, nodes: { type: 'string' }, writes: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) return 'help';
  return {
    transports: values.transport === undefined ? DEFAULT : transports(values.transport.flatMap((list) => list.split(','))),
    nodes: integer('--nodes', values.nodes ?? '5', 3, 9),
    writes: integer('--writes', values.writes ?? '1000', 1, 100_000),
  };
}

/** Each once, in the order in which they were named. */
function transports(given: readonly string[]): string[] {
  const names = Object.keys(BACKENDS);
  const wrong = given.find((name) => name !== 'all' && !names.includes(name));
  if (wrong !== undefined) throw new Error(`--transport: expected ${names.join(', ')} or all, got '${wrong}'`);
  return [...new Set(given.flatMap((name) => (name === 'all' ? names : [name])))];
}

function integer(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new Error(`${name}: expected a whole number from ${least} to ${most}, got '${text}'`);
}
