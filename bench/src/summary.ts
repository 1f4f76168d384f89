// Combines rounds: medians of the figures, and of their ratios to another row of the same round.

import type { Figure, Plan, Round, Row } from './benchmark.ts';
import { median, medianInterval } from './statistics.ts';

/** One figure of a row over all rounds. */
export interface Summary {
  readonly median: number;
  /** The median of the ratios, or of the differences, to the row that it is compared with. */
  readonly ratio?: number;
  /** The 95 % interval of that median; absent with less than six rounds. */
  readonly interval?: readonly [number, number];
}

export interface SummaryRow extends Row {
  readonly figures: Readonly<Record<string, Summary>>;
}

/** Summarizes the rows that have figures. */
export function summarize({ tasks, figuresOf }: Plan, rounds: readonly Round[]): SummaryRow[] {
  return tasks
    .flatMap(({ rows }) => rows)
    .flatMap((row) => {
      const figures = figuresOf(row.group).flatMap((figure) => {
        const summary = summaryOf(rounds, row, figure);
        return summary === undefined ? [] : [[figure.key, summary] as const];
      });
      return figures.length === 0 ? [] : [{ ...row, figures: Object.fromEntries(figures) }];
    });
}

function summaryOf(
  rounds: readonly Round[],
  row: Row,
  { key, compared = 'ratio' }: Figure,
): Summary | undefined {
  const { group, against } = row;
  const own = (round: Round) => figureOf(round, row, key);
  const compare = (round: Round) => {
    if (against === undefined || compared === 'never') return Number.NaN;
    const other = figureOf(round, { group, name: against }, key);
    return compared === 'ratio' ? own(round) / other : own(round) - other;
  };
  const values = rounds.map(own).filter(Number.isFinite);
  if (values.length === 0) return undefined;
  const ratios = rounds.map(compare).filter(Number.isFinite);
  const interval = medianInterval(ratios);
  return {
    median: median(values),
    ...(ratios.length > 0 && { ratio: median(ratios) }),
    ...(interval !== undefined && { interval }),
  };
}

/** Returns a figure of a round; NaN if the round does not have it. */
export function figureOf(
  round: Round,
  { group, name }: Pick<Row, 'group' | 'name'>,
  key: string,
): number {
  return round[group]?.[name]?.[key] ?? Number.NaN;
}
