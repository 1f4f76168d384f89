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
  const values = rounds.flatMap((round) => figureOf(round, row, key) ?? []);
  if (values.length === 0) return undefined;
  const { group, against } = row;
  const ratios =
    against === undefined || compared === 'never'
      ? []
      : rounds.flatMap((round) => {
          const own = figureOf(round, row, key);
          const other = figureOf(round, { group, name: against }, key);
          if (own === undefined || other === undefined) return [];
          const ratio = compared === 'ratio' ? own / other : own - other;
          return Number.isFinite(ratio) ? [ratio] : [];
        });
  const interval = medianInterval(ratios);
  return {
    median: median(values),
    ...(ratios.length > 0 && { ratio: median(ratios) }),
    ...(interval !== undefined && { interval }),
  };
}

/** Returns a figure of a round; undefined if the round does not have it. */
export function figureOf(
  round: Round,
  { group, name }: Pick<Row, 'group' | 'name'>,
  key: string,
): number | undefined {
  return round.get(group)?.get(name)?.[key];
}
