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
  return bars.flatMap((bar) => {
    const values = rounds.flatMap((round) => bar.value(round) ?? []);
    const ratio = values.length === 0 ? undefined : (bar.combine ?? median)(values);
    if (ratio === undefined) return [];
    const { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY } = bar;
    return [{ bar: bar.bar, ratio, holds: ratio >= least && ratio <= most }];
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
      quotient(
        figureOf(round, { group, name }, figure),
        figureOf(round, { group, name: against! }, figure),
      ),
    ...bounds,
  };
}

export function quotient(above: number | undefined, below: number | undefined): number | undefined {
  return above === undefined || below === undefined ? undefined : above / below;
}
