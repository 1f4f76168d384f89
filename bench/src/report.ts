// Formats the figures as tables, one for each scenario: medians, and in brackets the median of the
// ratios to another column of the same round.

import type { Comparison, Verdict } from './bars.ts';
import type { Column, Plan } from './columns.ts';
import type { Options } from './options.ts';
import type { Round } from './rounds.ts';
import type { Scenario } from './scenarios/scenario.ts';
import type { Figure, Figures } from './stopwatch.ts';
import { medianOf, medianRatio } from './summary.ts';
import { alignTable, round3 } from './table.ts';

export function formatTables(rounds: readonly Round[], plan: Plan): string {
  return [...plan]
    .map(([scenario, columns]) => formatTable(rounds, scenario, columns))
    .join('\n\n');
}

function formatTable(
  rounds: readonly Round[],
  scenario: Scenario,
  columns: readonly Column[],
): string {
  const { name, title } = scenario;
  const ran = columns.filter((column) =>
    rounds.some((round) => round.get(name)?.has(column.title)),
  );
  const figures = scenario.figures.filter(({ figure }) =>
    ran.some((column) => medianOf(rounds, name, column, figure) !== undefined),
  );
  const lines = ran.map((column) => {
    const compared = figures.some(
      ({ figure }) => ratio(rounds, scenario, figure, column) !== undefined,
    );
    return [
      `  ${column.title}`,
      compared ? `÷ ${column.against!(name).title}` : '',
      ...figures.map(({ figure }) => cell(rounds, scenario, figure, column)),
    ];
  });
  return `${name}: ${title}\n${alignTable([['', '', ...figures.map(({ unit }) => `${unit}${NO_RATIO}`)], ...lines], 2)}`;
}

export function formatVerdicts(verdicts: readonly Verdict[]): string {
  return verdicts
    .map(({ bar, ratio, holds }) => `${holds ? 'holds ' : 'MISSED'}  ${bar}: ${round3(ratio)}`)
    .join('\n');
}

/** Formats the bars of another Node beside those of the first. */
export function formatComparison(
  comparison: readonly Comparison[],
  { nodeVersion, beside }: Options,
): string {
  const rows = comparison.map(({ bar, older, newer, worse, holds }) => [
    `${holds ? 'holds ' : 'WORSE '}  ${bar}`,
    older === undefined ? '' : round3(older),
    round3(newer),
    worse === undefined ? '' : worse.toFixed(2),
  ]);
  return alignTable([['', nodeVersion, beside!.version, 'times worse'], ...rows], 1);
}

export function formatJson(
  rounds: readonly Round[],
  beside: readonly Round[],
  { plan, nodeVersion: node }: Options,
  verdicts: readonly Verdict[],
): string {
  const ratios = Object.fromEntries(
    [...plan].map(([scenario, columns]) => [
      scenario.name,
      Object.fromEntries(
        columns.map((column) => [
          column.title,
          Object.fromEntries(
            scenario.figures.map(({ figure }) => [figure, ratio(rounds, scenario, figure, column)]),
          ),
        ]),
      ),
    ]),
  );
  return JSON.stringify(
    { node, rounds: rounds.map(plain), beside: beside.map(plain), ratios, verdicts },
    null,
    2,
  );
}

function plain(round: Round): Record<string, Record<string, Figures>> {
  return Object.fromEntries(
    [...round].map(([scenario, row]) => [scenario, Object.fromEntries(row)]),
  );
}

function cell(
  rounds: readonly Round[],
  scenario: Scenario,
  figure: Figure,
  column: Column,
): string {
  const value = medianOf(rounds, scenario.name, column, figure);
  if (value === undefined) return `-${NO_RATIO}`;
  const share = ratio(rounds, scenario, figure, column);
  return `${round3(value)}${share === undefined ? NO_RATIO : ` (${share.toFixed(2)})`.padStart(NO_RATIO.length)}`;
}

function ratio(
  rounds: readonly Round[],
  { name, against = name }: Scenario,
  figure: Figure,
  column: Column,
): number | undefined {
  const other = column.against?.(name);
  const share =
    other &&
    medianRatio(rounds, figure, { scenario: name, column }, { scenario: against, column: other });
  return Number.isFinite(share) ? share : undefined;
}

/** As wide as a ratio below 10. */
const NO_RATIO = ' '.repeat(' (1.00)'.length);
