// Formats the figures: a table for each group of rows, and a line for each bar.

import type { Verdict } from './bars.ts';
import type { Figure, Plan } from './benchmark.ts';
import { grouped } from './grouped.ts';
import type { Summary, SummaryRow } from './summary.ts';
import { alignTable, round3 } from './table.ts';

export function formatTables(rows: readonly SummaryRow[], plan: Plan): string {
  return [...grouped(rows, ({ group }) => group)]
    .map(([group, own]) => {
      const title = plan.titleOf?.(group) ?? group;
      const table = alignTable(tableOf(own, plan.figuresOf(group)), 2);
      return title === '' ? table : `${title}\n${table}`;
    })
    .join('\n\n');
}

/**
 * Returns the cells of a table, the head first: the name of a row, what it is compared with, and for
 * each figure its median and its ratio. Columns without any figure are left out.
 */
export function tableOf(rows: readonly SummaryRow[], figures: readonly Figure[]): string[][] {
  const columns = figures.flatMap(({ key, unit, compared }) => [
    { head: unit, cell: (each: Summary) => round3(each.median), key },
    { head: compared === 'difference' ? '−' : '÷', cell: ratioText, key },
  ]);
  const cells = columns.map(({ key, cell }) =>
    rows.map(({ figures: own }) => (own[key] === undefined ? '' : cell(own[key]))),
  );
  const shown = columns.flatMap((_, at) => (cells[at]!.some((text) => text !== '') ? [at] : []));
  return [
    ['', '', ...shown.map((at) => columns[at]!.head)],
    ...rows.map(({ name, against, figures: own }, row) => [
      name,
      Object.values(own).every(({ ratio }) => ratio === undefined) ? '' : `vs ${against}`,
      ...shown.map((at) => cells[at]![row]!),
    ]),
  ];
}

/** Formats a ratio with its interval, if there were rounds enough for one. */
export function ratioText({ ratio, interval }: Summary): string {
  if (ratio === undefined) return '';
  const short = (value: number) =>
    Math.abs(value) < 0.1
      ? value.toPrecision(2)
      : Math.abs(value) < 100
        ? value.toFixed(2)
        : round3(value);
  const own = short(ratio);
  return interval === undefined ? own : `${own}, ${interval.map(short).join('–')}`;
}

export function formatVerdicts(verdicts: readonly Verdict[]): string {
  return verdicts
    .map(({ bar, ratio, holds }) => `${holds ? 'holds ' : 'MISSED'}  ${bar}: ${round3(ratio)}`)
    .join('\n');
}
