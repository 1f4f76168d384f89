// Formats the figures of type-checking: medians, and their ratios to plain functions.

import type { Verdict } from '../bars.ts';
import { median } from '../statistics.ts';
import { alignTable, round3 } from '../table.ts';
import type { TypesRound } from './measure.ts';
import { FUNCTIONS, PROTOCOL } from './subjects.ts';

export interface TypesFigures {
  readonly name: string;
  /** The median of the milliseconds. */
  readonly time: number;
  /** The median of the ratios to `FUNCTIONS` in the same round. */
  readonly ratio: number;
}

export function summarize(rounds: readonly TypesRound[]): TypesFigures[] {
  return [...(rounds[0]?.keys() ?? [])]
    .sort((a, b) => Number(b === FUNCTIONS) - Number(a === FUNCTIONS))
    .map((name) => ({
      name,
      time: median(rounds.map((round) => round.get(name)!)),
      ratio: median(rounds.map((round) => round.get(name)! / round.get(FUNCTIONS)!)),
    }));
}

export function formatTable(summary: readonly TypesFigures[]): string {
  return alignTable(tableOf(summary), 1);
}

/** Returns the cells of the table, the head first. */
export function tableOf(summary: readonly TypesFigures[]): string[][] {
  return [
    ['', 'ms', `÷ ${FUNCTIONS}`],
    ...summary.map(({ name, time, ratio }) => [
      name,
      round3(time),
      name === FUNCTIONS ? '' : ratio.toFixed(2),
    ]),
  ];
}

export function judge(summary: readonly TypesFigures[]): Verdict[] {
  const ours = summary.find(({ name }) => name === PROTOCOL);
  if (ours === undefined) return [];
  return [
    {
      bar: `type-checking: ${PROTOCOL} ÷ ${FUNCTIONS} at most ${MOST}`,
      ratio: ours.ratio,
      holds: ours.ratio <= MOST,
    },
  ];
}

const MOST = 1.5;
