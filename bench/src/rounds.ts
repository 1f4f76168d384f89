// Rounds of measurements: every column of a scenario in turn, each round in another order, so that what drifts in the machine hits all alike.

import type { Options } from './options.ts';
import type { Figures } from './stopwatch.ts';

/** What a round showed, by scenario and column; what doesn't suit an adapter is absent. */
export type Round = ReadonlyMap<string, ReadonlyMap<string, Figures>>;

/** @param progress is told what is measured now, and how far it is, from 0 to 1. */
export async function runRounds(options: Options, progress: (what: string, done: number) => void): Promise<Round[]> {
  const { rounds, plan, atOnce } = options;
  const results: Round[] = [];
  const steps = rounds * [...plan.values()].reduce((sum, columns) => sum + columns.length, 0);
  let step = 0;
  for (let round = 0; round < rounds; round++) {
    const result = new Map<string, Map<string, Figures>>();
    const work = [...plan].flatMap(([scenario, columns]) => {
      const row = new Map<string, Figures>();
      result.set(scenario.name, row);
      return rotated(columns, round).map((column) => async () => {
        progress(`round ${round + 1} of ${rounds}: ${scenario.name}, ${column.title}`, step++ / steps);
        const figures = await scenario.measure(column.adapter, options);
        if (figures !== null) row.set(column.title, figures);
      });
    });
    await allOf(work, atOnce);
    results.push(result);
  }
  return results;
}

function rotated<T>(list: readonly T[], by: number): T[] {
  return list.map((_, at) => list[(at + by) % list.length]!);
}

/** So many at a time; what has begun ends before the first failure is told. */
async function allOf(work: readonly (() => Promise<void>)[], atOnce: number): Promise<void> {
  const left = [...work];
  const worker = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      try {
        await next();
      } catch (error) {
        left.length = 0;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: atOnce }, worker));
  for (const each of ended) if (each.status === 'rejected') throw each.reason;
}
