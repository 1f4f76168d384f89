// Bars: conditions on a figure of a round, judged by the median over all rounds.

import type { Bar, Round, Row } from './benchmark.ts';
import { median } from './statistics.ts';
import { figureOf } from './summary.ts';

export interface Verdict {
  readonly bar: string;
  readonly ratio: number;
  readonly holds: boolean;
}

export type Bounds = { readonly least: number } | { readonly most: number };

/** Judges the bars whose rows have figures. */
export function judge(rounds: readonly Round[], bars: readonly Bar[]): Verdict[] {
  return bars.flatMap(({ bar, value, combine = median, least, most }) => {
    const values = rounds.map(value).filter((each) => !Number.isNaN(each));
    const ratio = values.length === 0 ? undefined : combine(values);
    if (ratio === undefined) return [];
    const holds = ratio >= (least ?? ratio) && ratio <= (most ?? ratio);
    return [{ bar, ratio, holds }];
  });
}

/**
 * A bar on a figure of a row divided by that of the row it is compared with.
 * @param unit names the figure.
 */
export function ratioBar(
  figure: string,
  { group, name, against }: Row,
  bounds: Bounds,
  unit = figure,
): Bar {
  const bound = 'least' in bounds ? `at least ${bounds.least}` : `at most ${bounds.most}`;
  return {
    bar: `${group === '' ? '' : `${group} `}${unit}: ${name} ÷ ${against} ${bound}`,
    value: (round) =>
      figureOf(round, { group, name }, figure) / figureOf(round, { group, name: against! }, figure),
    ...bounds,
  };
}
