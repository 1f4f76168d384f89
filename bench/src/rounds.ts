// Rounds of measurements: every column in turn, each round in another order, so that what drifts in the machine hits all alike.

import type { Column } from './columns.ts';
import type { Options } from './options.ts';
import { Pair } from './pair.ts';
import type { Figures } from './stopwatch.ts';

/** What a round showed, by scenario and column; a scenario that doesn't suit an adapter is absent. */
export type Round = ReadonlyMap<string, ReadonlyMap<string, Figures>>;

/** @param progress is told what is measured now, and how far it is, from 0 to 1. */
export async function runRounds(options: Options, progress: (what: string, done: number) => void): Promise<Round[]> {
  const { rounds, scenarios, columns } = options;
  const results: Round[] = [];
  const steps = rounds * scenarios.length * columns.length;
  let step = 0;
  for (let round = 0; round < rounds; round++) {
    const order = columns.map((_, at) => columns[(at + round) % columns.length]!);
    results.push(
      await oneRound(options, order, (column, scenario) => progress(`round ${round + 1} of ${rounds}: ${scenario}, ${column.title}`, step++ / steps)),
    );
  }
  return results;
}

async function oneRound({ scenarios, warmUp, window }: Options, order: readonly Column[], begin: (column: Column, scenario: string) => void): Promise<Round> {
  const pairs = new Map<Column, Pair>();
  const round = new Map<string, Map<string, Figures>>();
  try {
    for (const column of order) pairs.set(column, await Pair.start(column.adapter));
    for (const scenario of scenarios) {
      const row = new Map<string, Figures>();
      round.set(scenario.name, row);
      for (const [column, pair] of pairs) {
        begin(column, scenario.title);
        const figures = await pair.measure({ scenario: scenario.name, warmUp, window });
        if (figures !== null) row.set(column.title, figures);
      }
    }
    for (const pair of pairs.values()) await pair.close();
    return round;
  } catch (error) {
    for (const pair of pairs.values()) pair.kill();
    throw error;
  }
}
