// Combines many rounds: medians of the figures, and of their ratios to another figure of the same
// round.

import type { Column } from './columns.ts';
import type { Round } from './rounds.ts';
import { median } from './statistics.ts';
import type { Figure } from './stopwatch.ts';

/** Returns the median of a figure; undefined if no round has it. */
export function medianOf(
  rounds: readonly Round[],
  scenario: string,
  { title }: Column,
  figure: Figure,
): number | undefined {
  return middle(rounds.map((round) => round.get(scenario)?.get(title)?.[figure]));
}

/**
 * Returns the median of the ratios of a figure to that of another scenario or column in the same
 * round.
 */
export function medianRatio(
  rounds: readonly Round[],
  figure: Figure,
  of: { scenario: string; column: Column },
  to: { scenario: string; column: Column },
): number | undefined {
  return middle(
    rounds.map((round) => {
      const above = round.get(of.scenario)?.get(of.column.title)?.[figure];
      const below = round.get(to.scenario)?.get(to.column.title)?.[figure];
      return above === undefined || below === undefined ? undefined : above / below;
    }),
  );
}

function middle(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : median(known);
}
