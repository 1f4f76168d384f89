// Formats the scenarios of calls as tables and as bars.

import { PEER_NAMES, versionsOf } from '../adapters/peers.ts';
import type { Bar, BarsPlot } from '../bars-plot.ts';
import { type Column, columnsOf, NATS, TCP } from '../columns.ts';
import type { Round } from '../rounds.ts';
import { SCENARIOS } from '../scenarios/by-name.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import type { Figure } from '../stopwatch.ts';
import { medianOf, medianRatio } from '../summary.ts';
import { markdownTable, round3 } from '../table.ts';

/** Returns the measured scenarios in their order. */
export function measuredScenarios(rounds: readonly Round[]): Scenario[] {
  return SCENARIOS.filter(({ name }) => rounds.some((round) => (round.get(name)?.size ?? 0) > 0));
}

/** Formats a heading and a table. */
export function formatScenario(rounds: readonly Round[], scenario: Scenario): string[] {
  const columns = measuredColumns(rounds, scenario);
  const figures = scenario.figures.filter(({ figure }) =>
    columns.some((column) => medianOf(rounds, scenario.name, column, figure) !== undefined),
  );
  const rows = columns.map((column) => {
    const ratios = figures.map(({ figure }) => ratioOf(rounds, scenario, figure, column));
    const compared = ratios.some((ratio) => ratio !== undefined)
      ? column.against!(scenario.name).title
      : '';
    return [
      column.title === TCP.title ? `**${column.title}**` : column.title,
      ...figures.map(({ figure }, at) =>
        cell(medianOf(rounds, scenario.name, column, figure), ratios[at]),
      ),
      compared,
    ];
  });
  return [
    `### ${scenario.name}: ${scenario.title}`,
    '',
    ...markdownTable(['', ...figures.map(({ unit }) => unit), '(÷)'], rows, 1),
  ];
}

/**
 * Draws how fast each column is, relative to the one that it is compared with, in every scenario.
 */
export function ratioBars(rounds: readonly Round[]): BarsPlot | undefined {
  const groups = measuredScenarios(rounds).flatMap((scenario) => {
    const bars = measuredColumns(rounds, scenario).flatMap((column): Bar[] => {
      const speed = speedOf(rounds, scenario, column);
      return speed === undefined
        ? []
        : [{ label: column.title, ratio: speed, color: colorOf(column) }];
    });
    return bars.length === 0 ? [] : [{ title: `${scenario.name}: ${scenario.title}`, bars }];
  });
  if (groups.length === 0) return undefined;
  return {
    name: 'calls',
    title: 'Calls beside the raw limit',
    label: 'times as fast as what its table compares it with',
    groups,
  };
}

/** Returns 'library version' for the other libraries that were measured. */
export function measuredLibraries(rounds: readonly Round[]): string[] {
  const titles = new Set(
    rounds.flatMap((round) => [...round.values()].flatMap((row) => [...row.keys()])),
  );
  return [...new Set(PEER_NAMES.filter((name) => titles.has(name)).flatMap(versionsOf))];
}

function measuredColumns(rounds: readonly Round[], scenario: Scenario): Column[] {
  const titles = new Set(rounds.flatMap((round) => [...(round.get(scenario.name)?.keys() ?? [])]));
  const all = columnsOf(scenario, ['limit', 'trunkline', NATS.adapter, ...PEER_NAMES], PEER_NAMES);
  return all.filter(({ title }) => titles.has(title));
}

/** Returns the speed ratio by the scenario's first figure; for a time it is the inverse. */
function speedOf(rounds: readonly Round[], scenario: Scenario, column: Column): number | undefined {
  const { figure } = scenario.figures[0]!;
  const ratio = ratioOf(rounds, scenario, figure, column);
  return ratio !== undefined && LESS_IS_BETTER.has(figure) ? 1 / ratio : ratio;
}

function ratioOf(
  rounds: readonly Round[],
  { name, against = name }: Scenario,
  figure: Figure,
  column: Column,
): number | undefined {
  const other = column.against?.(name);
  return (
    other &&
    medianRatio(rounds, figure, { scenario: name, column }, { scenario: against, column: other })
  );
}

function cell(value: number | undefined, ratio: number | undefined): string {
  if (value === undefined) return '';
  return ratio === undefined
    ? round3(value)
    : `${round3(value)} (${ratio < 0.1 ? ratio.toPrecision(2) : ratio.toFixed(2)})`;
}

/**
 * Returns one color for Trunkline, another for other libraries, and the color of the axes for the
 * rest.
 */
function colorOf({ title }: Column): number | undefined {
  if (title.startsWith('trunkline')) return 0;
  return PEER_NAMES.includes(title) || title === NATS.title ? 1 : undefined;
}

const LESS_IS_BETTER: ReadonlySet<Figure> = new Set([
  'p50',
  'p99',
  'clientCpu',
  'serverCpu',
  'rss',
  'heap',
] as const);
