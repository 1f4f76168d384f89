// The nodes at the cursor, with state, calls in flight and log, and with the disk at the end of the
// recording.

import { formatSize, formatTime } from '../model/format.ts';
import type { Filter, Lane, NodeState, Run } from '../model/run.ts';
import { type Html, html } from './html.ts';

/** Shows each node at the cursor. */
export function nodeList(
  run: Run,
  states: ReadonlyMap<string, NodeState>,
  { hidden }: Filter,
  isEnd: boolean,
): Html {
  const lanes = run.lanes.filter(({ name }) => !hidden.has(name));
  return html`
    <section aria-label="Nodes at the cursor" class="nodes">
      <h2>Nodes at the cursor</h2>
      <ul>
        ${lanes.map((lane) => html`<li key=${lane.name}>${node(lane, states.get(lane.name)!, isEnd)}</li>`)}
      </ul>
    </section>
  `;
}

function node({ name, last }: Lane, now: NodeState, isEnd: boolean): Html {
  // At the end of the recording, show the node's own report, because it also covers events from
  // before the recording.
  const { up, state, log, calls } = isEnd && last !== undefined ? last : now;
  const waits = isEnd && calls.length === 0 ? (last?.waits ?? []) : [];
  return html`
    <h3>${name} <span class=${up ? 'up' : 'gone'}>${up ? 'up' : 'down'}</span></h3>
    ${state === undefined ? '' : html`<p class="state">${state}</p>`}
    ${list(
      'Calls in flight',
      calls.map(({ method, to, since }) => `${method} to ${to}, since ${formatTime(since)}`),
    )}
    ${list('Waits', waits)}
    ${list(
      'Log',
      log.slice(-5).map(({ at, text }) => `${formatTime(at)}: ${text}`),
    )}
    ${isEnd && last !== undefined ? list('Disk', disk(last)) : ''}
  `;
}

function disk({ disk: entries, moreOnDisk, unsynced }: NonNullable<Lane['last']>): string[] {
  return [
    ...entries.map(
      ({ key, value, size, synced }) =>
        `${key}: ${value} (${formatSize(size)}${synced ? '' : ', not synced'})`,
    ),
    ...(moreOnDisk > 0 ? [`and ${moreOnDisk} more`] : []),
    ...(unsynced > 0 ? [`${unsynced} changes are not synced`] : []),
  ];
}

function list(title: string, lines: readonly string[]): Html | string {
  if (lines.length === 0) return '';
  return html`<h4>${title}</h4><ul>${lines.map((line) => html`<li>${line}</li>`)}</ul>`;
}
