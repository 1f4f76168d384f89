// Combines rounds into curves: medians, and the median of the ratios to the raw limit at the same
// point of the same round.

import { median } from '../statistics.ts';
import { LIMIT, type Measured, type Point, type PointFigures } from './point.ts';

export interface Summary extends Point {
  readonly figures: PointFigures;
  /** The ratio of the rate to the raw limit's; absent for the limit itself. */
  readonly ratio?: number | undefined;
}

export function summarize(rounds: readonly (readonly Measured[])[]): Summary[] {
  return (rounds[0] ?? []).map(({ part, at, carrier }) => {
    const find = (round: readonly Measured[], wanted: string) =>
      round.find((each) => each.part === part && each.at === at && each.carrier === wanted)
        ?.figures;
    const middle = (values: readonly (number | undefined)[]) => {
      const known = values.filter((value) => value !== undefined);
      return known.length === 0 ? undefined : median(known);
    };
    const of = (figure: keyof PointFigures) =>
      middle(rounds.map((round) => find(round, carrier)?.[figure]));
    const ratio = middle(
      rounds.map((round) => {
        const limit = find(round, LIMIT)?.rate;
        return limit === undefined || carrier === LIMIT
          ? undefined
          : find(round, carrier)!.rate / limit;
      }),
    );
    const figures = {
      rate: of('rate')!,
      bulk: of('bulk'),
      clientCpu: of('clientCpu'),
      serverCpu: of('serverCpu'),
      rss: of('rss'),
      heap: of('heap'),
    };
    return { part, at, carrier, figures, ratio };
  });
}
