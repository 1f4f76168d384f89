// Formats the figures of a cluster as a table, and judges them.

import type { Verdict } from '../bars.ts';
import { cores } from '../cores.ts';
import { median } from '../statistics.ts';
import { alignTable, round3 } from '../table.ts';
import type { Options } from './options.ts';
import type { Figures, Round } from './rounds.ts';

export function formatTable(rounds: readonly Round[], { workers }: Options): string {
  const lines = [1, workers].map((count) => {
    const figures = rounds.map((round) => round.get(count)!);
    const cpu = median(figures.map(({ serverCpu = Number.NaN }) => serverCpu));
    return [
      String(count),
      round3(median(figures.map(({ rate }) => rate))),
      Number.isNaN(cpu) ? '–' : round3(cpu),
      median(figures.map(unevenness)).toFixed(2),
    ];
  });
  return alignTable([['workers', 'calls/s', 'server CPU ns/call', 'unevenness'], ...lines], 0);
}

export function judge(rounds: readonly Round[], options: Options): Verdict[] {
  const { workers, kind } = options;
  const ratio = (figure: (figures: Figures) => number) =>
    median(rounds.map((round) => figure(round.get(workers)!) / figure(round.get(1)!)));
  const verdicts: Verdict[] = [];
  const cpu = ratio(({ serverCpu = Number.NaN }) => serverCpu);
  if (!Number.isNaN(cpu))
    verdicts.push({
      bar: `server CPU of a call: ${workers} workers ÷ 1 at most ${MOST_CPU}`,
      ratio: cpu,
      holds: cpu <= MOST_CPU,
    });
  const spread = median(rounds.map((round) => unevenness(round.get(workers)!)));
  // The kernel spreads the connections of threads at random.
  if (kind === 'process')
    verdicts.push({
      bar: `largest deviation of a worker's connections from the mean at most ${MOST_UNEVEN}`,
      ratio: spread,
      holds: spread <= MOST_UNEVEN,
    });
  if (scales(options)) {
    const rate = ratio((figures) => figures.rate);
    verdicts.push({
      bar: `calls/s: ${workers} workers ÷ 1 at least ${LEAST_RATE}`,
      ratio: rate,
      holds: rate >= LEAST_RATE,
    });
  }
  return verdicts;
}

/** Returns what cannot be judged on this machine, with the reason. */
export function unmeasured(options: Options): string[] {
  if (scales(options)) return [];
  return [
    options.workers === 2
      ? `calls/s: 2 workers ÷ 1: needs at least four cores, and there are ${cores.length || 'unknown'}`
      : `calls/s: ${options.workers} workers ÷ 1: the bar is for two workers`,
  ];
}

/** Tells whether workers and clients have cores of their own. */
function scales({ workers }: Options): boolean {
  return workers === 2 && cores.length >= 4;
}

/** Returns the largest deviation from the mean, as a part of it. */
function unevenness({ connections }: Figures): number {
  const mean = connections.reduce((sum, count) => sum + count, 0) / connections.length;
  return Math.max(...connections.map((count) => Math.abs(count - mean))) / mean;
}

const MOST_CPU = 1.1;
const MOST_UNEVEN = 0.2;
const LEAST_RATE = 1.7;
