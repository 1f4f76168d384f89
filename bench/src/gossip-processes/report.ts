// The figures as a table: a line for each size, rate and adapter; medians of the rounds, and of the ratios to another adapter of the same round.

import type { Verdict } from '../bars.ts';
import { median } from '../statistics.ts';
import { alignTable, round3 } from '../table.ts';
import { type KindName, kindOf } from './by-name.ts';
import type { Figures } from './figures.ts';
import type { Options } from './options.ts';
import { installed, type Measurement } from './rounds.ts';

export function formatTable(measurements: readonly Measurement[], options: Options): string {
  return alignTable([TITLES, ...linesOf(measurements, options)], 1);
}

export function formatMarkdown(measurements: readonly Measurement[], options: Options): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [row(TITLES), row(TITLES.map((_, at) => (at === 0 ? '---' : '---:'))), ...linesOf(measurements, options).map(row)].join('\n');
}

export function formatJson(measurements: readonly Measurement[], options: Options, verdicts: readonly Verdict[]): string {
  return JSON.stringify({ node: process.version, options, measurements, verdicts }, null, 2);
}

/** How busy the machine was with others, which spoils figures. */
export function formatLoad(measurements: readonly Measurement[]): string {
  const most = (values: readonly number[]) => Math.max(...values).toFixed(2);
  const loads = most(measurements.map(({ load }) => load));
  const elsewhere = measurements.map((each) => each.elsewhere).filter((cores) => cores !== undefined);
  const others = elsewhere.length === 0 ? '' : `; other programs used ${most(elsewhere)} cores at most, ${median(elsewhere).toFixed(2)} in the median`;
  return `load average before a start ${loads} at most${others}`;
}

function linesOf(measurements: readonly Measurement[], { nodes, rates, kinds }: Options): string[][] {
  const there = installed(kinds);
  return nodes.flatMap((count) =>
    rates.flatMap((rate) =>
      kinds.map((kind) => {
        const first = [kindOf(kind).title, String(count), String(rate)];
        if (!there.includes(kind)) return [...first, 'not installed', ...new Array<string>(COLUMNS.length - 1).fill('-')];
        const of = (other: KindName) => measurements.filter((each) => each.kind === other && each.nodes === count && each.rate === rate);
        return [...first, ...COLUMNS.map(({ cell }) => cell(of(kind), of))];
      }),
    ),
  );
}

interface Column {
  readonly title: string;
  readonly cell: (own: readonly Measurement[], of: (kind: KindName) => readonly Measurement[]) => string;
}

const COLUMNS: readonly Column[] = [
  { title: 'reached/s', cell: middle('rate') },
  { title: 'late ms', cell: middle('late') },
  { title: 'lost', cell: (own) => String(own.reduce((sum, { figures, lostInWarmUp }) => sum + figures.lost + lostInWarmUp, 0)) },
  { title: 'twice', cell: (own) => String(own.reduce((sum, { figures }) => sum + figures.twice + figures.strange, 0)) },
  { title: 'p50 ms', cell: middle('p50') },
  { title: 'p99 ms', cell: middle('p99') },
  { title: 'longest ms', cell: middle('longest') },
  { title: 'CPU µs/delivery', cell: middle('cpu') },
  { title: '÷ flood', cell: (own, of) => ratio(own, of('flood')) },
  { title: '÷ NATS', cell: (own, of) => ratio(own, of('nats')) },
  { title: 'of it server', cell: middle('serverCpu') },
  { title: 'publisher µs/message', cell: middle('publisherCpu') },
  { title: 'cores', cell: middle('cores') },
  { title: 'copies/delivery', cell: middle('copies') },
  { title: 'bytes/delivery', cell: middle('bytes') },
  { title: 'links', cell: middle('links') },
  { title: 'most links', cell: middle('mostLinks') },
];
const TITLES = ['', 'processes', 'wanted/s', ...COLUMNS.map(({ title }) => title)];

function middle(figure: keyof Figures): Column['cell'] {
  return (own) => {
    const values = own.map(({ figures }) => figures[figure]).filter((value) => value !== undefined);
    return values.length === 0 ? '-' : round3(median(values));
  };
}

/** Of CPU a delivery, round by round. */
function ratio(own: readonly Measurement[], others: readonly Measurement[]): string {
  const ratios = own.flatMap(({ round, figures }) => {
    const other = others.find((each) => each.round === round)?.figures.cpu;
    return figures.cpu === undefined || other === undefined ? [] : [figures.cpu / other];
  });
  return ratios.length === 0 ? '-' : median(ratios).toFixed(2);
}
