// What must hold, judged by the median over the rounds of a ratio within each.

import { type Column, LIMIT, OURS } from './columns.ts';
import type { Round } from './rounds.ts';
import { median } from './statistics.ts';
import type { Figure } from './stopwatch.ts';

export interface Verdict {
  readonly bar: string;
  readonly ratio: number;
  readonly holds: boolean;
}

/** The bars whose scenarios and columns ran. */
export function judge(rounds: readonly Round[]): Verdict[] {
  return BARS.flatMap(({ bar, value, least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY }) => {
    const values = rounds.map(value).filter((each) => each !== undefined);
    if (values.length === 0) return [];
    const ratio = median(values);
    return [{ bar, ratio, holds: ratio >= least && ratio <= most }];
  });
}

interface Bar {
  readonly bar: string;
  /** In one round; undefined where it does not have what it takes. */
  value(round: Round): number | undefined;
  readonly least?: number;
  readonly most?: number;
}

type Bounds = { readonly least: number } | { readonly most: number };

/** A figure of one column, divided by that of another. @param to the scenario of the other, where it is another one. */
function ratio(scenario: string, figure: Figure, above: Column, below: Column, bounds: Bounds, to = scenario): Bar {
  const bound = 'least' in bounds ? `at least ${bounds.least}` : `at most ${bounds.most}`;
  return {
    bar: `${scenario} ${figure === 'bulk' ? 'MB/s' : figure}: ${above.title} ÷ ${below.title} ${bound}`,
    value: (round) => quotient(round.get(scenario)?.get(above.title)?.[figure], round.get(to)?.get(below.title)?.[figure]),
    ...bounds,
  };
}

function quotient(above: number | undefined, below: number | undefined): number | undefined {
  return above === undefined || below === undefined ? undefined : above / below;
}

const BARS: readonly Bar[] = [
  ratio('s1', 'p50', OURS, LIMIT, { most: 1.1 }),
  ratio('s2', 'rate', OURS, LIMIT, { least: 1.2 }),
  ratio('s3', 'rate', OURS, LIMIT, { least: 0.9 }),
  ratio('s6', 'p50', OURS, LIMIT, { most: 0.06 }),
  ratio('s6', 'p99', OURS, LIMIT, { most: 0.15 }),
  ratio('s6-elsewhere', 'p50', OURS, LIMIT, { most: 0.06 }, 's6'),
  ratio('s6-elsewhere', 'p99', OURS, LIMIT, { most: 0.15 }, 's6'),
];
