// Formats the scenarios of calls as tables and as bars.

import { PEER_NAMES, versionsOf } from '../adapters/peers.ts';
import type { Bar, BarsPlot } from '../bars-plot.ts';
import { type Column, columnsOf, NATS, TCP, TITLES } from '../columns.ts';
import type { Round } from '../rounds.ts';
import { SCENARIOS } from '../scenarios/by-name.ts';
import { CALLS } from '../scenarios/calls.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import type { Figure } from '../stopwatch.ts';
import { medianOf, medianRatio } from '../summary.ts';
import { markdownTable, round3 } from '../table.ts';

/** Returns the measured scenarios in their order. */
export function measuredScenarios(rounds: readonly Round[]): Scenario[] {
  return SCENARIOS.filter(({ name }) => rounds.some((round) => (round.get(name)?.size ?? 0) > 0));
}

/** Formats one table of the calls of all scenarios, and a table for each other scenario. */
export function formatScenarios(rounds: readonly Round[]): string[] {
  const measured = measuredScenarios(rounds);
  const calls = measured.filter(isCall);
  const parts: readonly Part[] = calls.flatMap((scenario) => [
    { scenario, unit: scenario.figures[0]!.unit, shown: cellOf },
    ...(scenario.name === WITH_CPU ? [{ scenario, unit: 'CPU ns', shown: cpuOf }] : []),
  ]);
  const rows = TITLES.flatMap((title) => {
    const cells = parts.map(({ scenario, shown }) => {
      const found = measuredColumns(rounds, scenario).find((column) => column.title === title);
      return found === undefined ? '' : shown(rounds, scenario, found);
    });
    return cells.every((each) => each === '') ? [] : [[bold(title), ...cells]];
  });
  return [
    ...(parts.length === 0
      ? []
      : markdownTable(
          ['', ...parts.map(({ scenario, unit }) => `${scenario.name} ${unit}`)],
          rows,
          1,
        )),
    // The bars have the figures of scenarios that are compared with another one.
    ...measured
      .filter((scenario) => scenario.against === undefined && !isCall(scenario))
      .flatMap((scenario) => ['', ...formatScenario(rounds, scenario)]),
  ];
}

/** A column of the table of calls. */
interface Part {
  readonly scenario: Scenario;
  readonly unit: string;
  shown(rounds: readonly Round[], scenario: Scenario, column: Column): string;
}

/** Formats a title and a table. */
function formatScenario(rounds: readonly Round[], scenario: Scenario): string[] {
  const figures = scenario.figures.filter(({ figure }) =>
    measuredColumns(rounds, scenario).some(
      (column) => medianOf(rounds, scenario.name, column, figure) !== undefined,
    ),
  );
  return [
    `**${scenario.name}: ${scenario.title}**`,
    '',
    ...markdownTable(
      ['', ...figures.map(({ unit }) => unit)],
      measuredColumns(rounds, scenario).map((column) => [
        bold(column.title),
        ...figures.map(({ figure }) => cell(rounds, scenario, column, figure)),
      ]),
      1,
    ),
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

/** Calls that are compared with others of the same scenario share a table. */
function isCall({ name, against }: Scenario): boolean {
  return against === undefined && CALLS.some((call) => call.name === name);
}

function bold(title: string): string {
  return title === TCP.title ? `**${title}**` : title;
}

function cellOf(rounds: readonly Round[], scenario: Scenario, column: Column): string {
  return cell(rounds, scenario, column, scenario.figures[0]!.figure);
}

/** Adds the CPU time of both ends. */
function cpuOf(rounds: readonly Round[], { name }: Scenario, column: Column): string {
  const ends = (['clientCpu', 'serverCpu'] as const).flatMap(
    (figure) => medianOf(rounds, name, column, figure) ?? [],
  );
  return ends.length === 0 ? '' : round3(ends.reduce((sum, end) => sum + end, 0));
}

function cell(
  rounds: readonly Round[],
  scenario: Scenario,
  column: Column,
  figure: Figure,
): string {
  const value = medianOf(rounds, scenario.name, column, figure);
  const ratio = ratioOf(rounds, scenario, figure, column);
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

/** The scenario whose CPU time the table of calls has. */
const WITH_CPU = 's2';
const LESS_IS_BETTER: ReadonlySet<Figure> = new Set([
  'p50',
  'p99',
  'clientCpu',
  'serverCpu',
  'rss',
  'heap',
] as const);
