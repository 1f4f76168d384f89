// Formats the figures of WebRTC and WebSocket as a table, and judges their ratios to bare channels
// and sockets.

import type { Verdict } from '../bars.ts';
import { median } from '../statistics.ts';
import { alignTable, round3 } from '../table.ts';
import { AGAINST, COLUMNS, type Column } from './columns.ts';
import type { Options, Place } from './options.ts';
import type { Round } from './rounds.ts';
import type { LinkFigures } from './tasks.ts';

export function formatTable(rounds: readonly Round[], { places }: Options): string {
  const lines = places.flatMap((place) =>
    COLUMNS.map((column) => [
      place,
      column,
      ...FIGURES.map(({ figure }) => {
        const value = round3(median(rounds.map((round) => round.get(place)!.get(column)![figure])));
        return AGAINST.has(column)
          ? `${value} (${ratio(rounds, place, column, figure).toFixed(2)})`
          : value;
      }),
    ]),
  );
  return alignTable([['client', 'column', ...FIGURES.map(({ title }) => title)], ...lines], 2);
}

export function judge(rounds: readonly Round[], { places }: Options): Verdict[] {
  return places.flatMap((place) =>
    [...AGAINST].flatMap(([column, against]) =>
      FIGURES.flatMap(({ title, figure, least, most }) => {
        if (least === undefined && most === undefined) return [];
        const share = ratio(rounds, place, column, figure);
        const bound = least === undefined ? `at most ${most}` : `at least ${least}`;
        return {
          bar: `${place}, ${title}: ${column} ÷ ${against} ${bound}`,
          ratio: share,
          holds: share >= (least ?? 0) && share <= (most ?? Number.POSITIVE_INFINITY),
        };
      }),
    ),
  );
}

/** Returns the median of the ratios to the bare column of the same round. */
function ratio(
  rounds: readonly Round[],
  place: Place,
  column: Column,
  figure: keyof LinkFigures,
): number {
  return median(
    rounds.map((round) => {
      const row = round.get(place)!;
      return row.get(column)![figure] / row.get(AGAINST.get(column)!)![figure];
    }),
  );
}

/** The figures of a table; one with `least` or `most`, a ratio, has a bar. */
const FIGURES: readonly {
  readonly figure: keyof LinkFigures;
  readonly title: string;
  readonly least?: number;
  readonly most?: number;
}[] = [
  { figure: 'connect', title: 'connect ms' },
  { figure: 'p50', title: 'p50 µs', most: 1.15 },
  { figure: 'calls', title: 'calls/s', least: 0.8 },
  { figure: 'bulk', title: 'MB/s', least: 0.8 },
];
