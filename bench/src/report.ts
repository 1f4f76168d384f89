// The figures as a table: medians, and in brackets the median of the ratios to another column of the same round.

import type { Verdict } from './bars.ts';
import type { Column } from './columns.ts';
import type { Options } from './options.ts';
import type { Round } from './rounds.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { type Figure, medianOf, medianRatio } from './summary.ts';
import { alignTable, round3 } from './table.ts';

/** One figure of one scenario, over all columns. */
interface Row {
  readonly scenario: Scenario;
  readonly figure: Figure;
}

export function formatTable(rounds: readonly Round[], { scenarios, columns }: Options): string {
  const rows = scenarios.flatMap((scenario) => FIGURES.map(({ figure }) => ({ scenario, figure }))).filter((row) => told(rounds, row, columns));
  const lines = rows.map((row, at) => {
    const first = rows[at - 1]?.scenario !== row.scenario;
    const { unit } = FIGURES.find(({ figure }) => figure === row.figure)!;
    return [first ? row.scenario.title : '', unit, ...columns.map((column) => cell(rounds, row, column))];
  });
  const titles = ['', '', ...columns.map(({ title }) => title)];
  const compared = ['', '', ...columns.map(({ against }) => (against !== undefined && columns.includes(against) ? `(÷ ${against.title})` : ''))];
  return alignTable([titles, compared, ...lines], 2);
}

export function formatVerdicts(verdicts: readonly Verdict[]): string {
  return verdicts.map(({ bar, ratio, holds }) => `${holds ? 'holds ' : 'MISSED'}  ${bar}: ${ratio.toFixed(2)}`).join('\n');
}

export function formatJson(rounds: readonly Round[], { scenarios, columns }: Options, verdicts: readonly Verdict[]): string {
  const plain = rounds.map((round) => Object.fromEntries([...round].map(([scenario, row]) => [scenario, Object.fromEntries(row)])));
  const ratios = Object.fromEntries(
    scenarios.map((scenario) => [
      scenario.name,
      Object.fromEntries(
        columns.map((column) => [column.title, Object.fromEntries(FIGURES.map(({ figure }) => [figure, ratio(rounds, { scenario, figure }, column)]))]),
      ),
    ]),
  );
  return JSON.stringify({ node: process.version, rounds: plain, ratios, verdicts }, null, 2);
}

function told(rounds: readonly Round[], { scenario, figure }: Row, columns: readonly Column[]): boolean {
  return !(scenario.against !== undefined && CPU.has(figure)) && columns.some((column) => medianOf(rounds, scenario.name, column, figure) !== undefined);
}

function cell(rounds: readonly Round[], row: Row, column: Column): string {
  const value = medianOf(rounds, row.scenario.name, column, row.figure);
  if (value === undefined) return '-';
  const share = ratio(rounds, row, column);
  return `${round3(value)}${share === undefined ? ' '.repeat(8) : ` (${share.toFixed(2)})`.padStart(8)}`;
}

function ratio(rounds: readonly Round[], { scenario, figure }: Row, column: Column): number | undefined {
  if (column.against === undefined) return undefined;
  return medianRatio(rounds, figure, { scenario: scenario.name, column }, { scenario: scenario.name, column: column.against });
}

const FIGURES: readonly { figure: Figure; unit: string }[] = [
  { figure: 'rate', unit: 'calls/s' },
  { figure: 'p50', unit: 'p50 µs' },
  { figure: 'p99', unit: 'p99 µs' },
  { figure: 'bulk', unit: 'bulk MB/s' },
  { figure: 'clientCpu', unit: 'client CPU ns a call' },
  { figure: 'serverCpu', unit: 'server CPU ns a call' },
];

/** Beside large messages this is not a small call's own. */
const CPU: ReadonlySet<Figure> = new Set(['clientCpu', 'serverCpu']);
