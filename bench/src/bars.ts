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

/** A bar on a figure of one row divided by that of another. @param unit names the figure. */
export function ratioBar(
  figure: string,
  above: Pick<Row, 'group' | 'name'>,
  below: Pick<Row, 'group' | 'name'>,
  bounds: Bounds,
  unit = figure,
): Bar {
  const bound = 'least' in bounds ? `at least ${bounds.least}` : `at most ${bounds.most}`;
  const group = above.group === '' ? '' : `${above.group} `;
  return {
    bar: `${group}${unit}: ${above.name} ÷ ${below.name} ${bound}`,
    value: (round) => quotient(figureOf(round, above, figure), figureOf(round, below, figure)),
    ...bounds,
  };
}

export function quotient(above: number | undefined, below: number | undefined): number | undefined {
  return above === undefined || below === undefined ? undefined : above / below;
}

/** The figure of a bar on one Node and on a newer one. */
export interface Comparison {
  readonly bar: string;
  /** The figure on the older Node; undefined if the newer one is judged by itself. */
  readonly older: number | undefined;
  readonly newer: number;
  /**
   * The factor by which the newer Node was worse than the older one in a round; the median of the
   * rounds.
   */
  readonly worse: number | undefined;
  readonly holds: boolean;
}

/**
 * Judges whether a bar is more than 15 % worse on the newer Node, for the bars whose rows ran on
 * both Nodes in the same rounds.
 */
export function compare(
  older: readonly Round[],
  newer: readonly Round[],
  bars: readonly Bar[],
): Comparison[] {
  const beside = bars
    .filter((bar) => bar.newer === undefined)
    .flatMap((bar): Comparison[] => {
      const pairs = newer.flatMap((round, at) => {
        const [before, after] = [older[at] && bar.value(older[at]), bar.value(round)];
        return before === undefined || after === undefined
          ? []
          : [{ before, after, worse: bar.least === undefined ? after / before : before / after }];
      });
      if (pairs.length === 0) return [];
      const of = (which: keyof (typeof pairs)[number]) => median(pairs.map((pair) => pair[which]));
      const worse = of('worse');
      return [
        {
          bar: bar.bar.replace(/ at (most|least) .*/, ''),
          older: of('before'),
          newer: of('after'),
          worse,
          holds: worse <= MOST_WORSE,
        },
      ];
    });
  const itself = judge(
    newer,
    bars.flatMap((bar) => bar.newer ?? []),
  );
  return [
    ...beside,
    ...itself.map(({ bar, ratio, holds }) => ({
      bar,
      older: undefined,
      newer: ratio,
      worse: undefined,
      holds,
    })),
  ];
}

/** The factor by which a bar's figure may be worse on a newer Node. */
const MOST_WORSE = 1.15;
