// Formats the figures of both columns as a table, and judges their ratios.

import type { Verdict } from '../bars.ts';
import type { Figure } from '../echo-task.ts';
import { median } from '../statistics.ts';
import { alignTable, round3 } from '../table.ts';
import { COLUMNS, type Column } from './columns.ts';
import type { Round } from './rounds.ts';

export function formatTable(rounds: readonly Round[]): string {
  const lines = COLUMNS.map((column) => [
    column,
    ...FIGURES.map(({ figure }) => {
      const value = round3(median(rounds.map((round) => round.get(column)![figure])));
      return column === OURS ? `${value} (${ratio(rounds, figure).toFixed(2)})` : value;
    }),
  ]);
  return alignTable([['column', ...FIGURES.map(({ title }) => title)], ...lines], 1);
}

export function judge(rounds: readonly Round[]): Verdict[] {
  return FIGURES.flatMap(({ title, figure, least }) => {
    if (least === undefined) return [];
    const share = ratio(rounds, figure);
    return [
      {
        bar: `${title}: ${OURS} ÷ ${BARE} at least ${least}`,
        ratio: share,
        holds: share >= least,
      },
    ];
  });
}

/** Returns the median of the ratios to the bare column of the same round. */
function ratio(rounds: readonly Round[], figure: Figure): number {
  return median(rounds.map((round) => round.get(OURS)![figure] / round.get(BARE)![figure]));
}

const BARE: Column = 'bare-nats';
const OURS: Column = 'trunkline-nats';

const FIGURES: readonly {
  readonly figure: Figure;
  readonly title: string;
  readonly least?: number;
}[] = [
  { figure: 'p50', title: 'p50 µs' },
  { figure: 'calls', title: 'requests/s at 256', least: 3 },
  { figure: 'bulk', title: 'MB/s', least: 0.7 },
];
