// Formats the speed of the loads.

import { median, medianInterval } from '../statistics.ts';
import { round3 } from '../table.ts';
import type { MeasuredLoad } from './loads-measure.ts';

/** The figures of a load over all rounds. */
export interface LoadSummary {
  readonly name: string;
  readonly title: string;
  /** The ratio of virtual time to CPU time: median. */
  readonly times: number;
  /** Events a second of CPU time: median. */
  readonly events: number;
  /** The ratio of `times` to that of the other checkout in the same round: median. */
  readonly ratio: number | undefined;
  /** The 95 % interval of that median; undefined with less than six rounds. */
  readonly interval: readonly [number, number] | undefined;
  /** The share of the time by the owner of the code, 0 to 1. */
  readonly shares: Readonly<Record<string, number>>;
}

export function summarizeLoads(measured: readonly MeasuredLoad[]): LoadSummary[] {
  return measured.map(({ load: { name, title }, rounds, shares }) => {
    const ratios = rounds.flatMap(({ now, before }) =>
      before === undefined ? [] : [now.times / before.times],
    );
    return {
      name,
      title,
      times: median(rounds.map(({ now }) => now.times)),
      events: median(rounds.map(({ now }) => now.events)),
      ratio: ratios.length === 0 ? undefined : median(ratios),
      interval: medianInterval(ratios),
      shares,
    };
  });
}

/** Returns the cells of the table, the head first; the first column is a text. */
export function tableOfLoads(summary: readonly LoadSummary[]): string[][] {
  const owners = Object.keys(summary[0]?.shares ?? {});
  return [
    ['load', '× CPU time', 'events/s', '÷ before', '95 %', ...owners],
    ...summary.map(({ title, times, events, ratio, interval, shares }) => [
      title,
      round3(times),
      round3(events),
      ratio === undefined ? '' : ratio.toFixed(2),
      interval === undefined ? '' : interval.map((end) => end.toFixed(2)).join(' to '),
      ...owners.map((owner) => `${((shares[owner] ?? 0) * 100).toFixed(0)} %`),
    ]),
  ];
}
