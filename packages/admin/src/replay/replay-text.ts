// The report of a recording as text, for terminals.

import type { NodeReport, Recording } from '@trunkline/simulation';
import { formatTime } from './model/format.ts';
import { missing } from './model/run.ts';

/** Returns the failure, its faults, and each node at the end of the recording, as lines. */
export function replayText(recording: Recording): string {
  const { seed, failure, search, nodes, at, events } = recording;
  return [
    ...(failure === undefined
      ? [`no failure (seed ${seed}, at ${formatTime(at)})`]
      : (failure.text ?? failure.message).split('\n')),
    ...(missing(recording) === undefined ? [] : [missing(recording)!]),
    ...(search?.profile === undefined ? [] : [`profile: ${search.profile}`]),
    ...(search === undefined || search.faults === 0
      ? []
      : [`faults: ${search.schedule.length} of ${search.faults}`]),
    ...(search?.schedule ?? []).map(({ at, fault }) => `  ${formatTime(at)}  ${fault}`),
    `${events.length} events; the nodes at ${formatTime(at)}:`,
    ...nodes.flatMap(linesOf),
    ...(search === undefined ? [] : [`run it again: ${search.replay}`]),
  ]
    .map(clean)
    .join('\n');
}

function linesOf({ name, up, state, log, calls, waits, disk, unsynced }: NodeReport): string[] {
  const waiting =
    calls.length > 0
      ? calls.map(({ method, to, since }) => `call: ${method} to ${to} since ${formatTime(since)}`)
      : waits.map((wait) => `waits: ${wait}`);
  return [
    `${name}: ${up ? (state ?? 'up') : 'down'}`,
    ...log.map(({ at, text }) => `  log: ${formatTime(at)}  ${text}`),
    ...waiting.map((text) => `  ${text}`),
    ...disk.map(
      ({ key, value, size, synced }) =>
        `  disk: ${key} ${value} (${size} B${synced ? '' : ', not synced'})`,
    ),
    ...(unsynced > 0 ? [`  disk: ${unsynced} changes not synced`] : []),
  ];
}

/** Replaces control characters, which could change what a terminal shows. */
function clean(text: string): string {
  return text.replaceAll(/\p{Cc}|\p{Cf}/gu, ' ');
}
