// Formats the figures as a table: a block for each size and rate, a column for each adapter.
// Figures are medians of the rounds, and medians of the ratios to another adapter in the same
// round.

import type { Verdict } from '../bars.ts';
import { median } from '../statistics.ts';
import { alignTable, round3 } from '../table.ts';
import { type KindName, kindOf } from './by-name.ts';
import type { Figures } from './figures.ts';
import type { Options } from './options.ts';
import { installed, type Measurement } from './rounds.ts';

export function formatTables(
  measurements: readonly Measurement[],
  { nodes, rates, kinds }: Options,
): string {
  const blocks = nodes.flatMap((count) => rates.map((rate) => ({ count, rate })));
  return blocks
    .map(({ count, rate }) => {
      const of = (kind: KindName) => measurementsOf(measurements, kind, count, rate);
      const lines = ROWS.map(({ title, cell }) => [
        title,
        ...kinds.map((kind) => cell(of(kind), of)),
      ]);
      return alignTable(
        [[`${count} processes, ${rate} messages/s`, ...columnsOf(kinds)], ...lines],
        1,
      );
    })
    .join('\n\n');
}

/** Formats a line for each size, rate and adapter, with the most important figures. */
export function formatMarkdown(
  measurements: readonly Measurement[],
  { nodes, rates, kinds }: Options,
): string {
  const rows = ROWS.filter(({ chooses }) => chooses);
  const lines = nodes.flatMap((count) =>
    rates.flatMap((rate) =>
      kinds.map((kind) => {
        const of = (other: KindName) => measurementsOf(measurements, other, count, rate);
        return [
          String(count),
          String(rate),
          kindOf(kind).title,
          ...rows.map(({ cell }) => cell(of(kind), of)),
        ];
      }),
    ),
  );
  const titles = ['processes', 'messages/s', '', ...rows.map(({ title }) => title)];
  return [titles, titles.map((_, at) => (at === 2 ? '---' : '---:')), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

export function formatJson(
  measurements: readonly Measurement[],
  options: Options,
  verdicts: readonly Verdict[],
): string {
  return JSON.stringify({ node: process.version, options, measurements, verdicts }, null, 2);
}

/** Describes how busy other programs kept the machine, which distorts figures. */
export function formatLoad(measurements: readonly Measurement[]): string {
  const elsewhere = measurements
    .map((each) => each.elsewhere)
    .filter((cores) => cores !== undefined);
  const load = `load average before the first start ${measurements[0]!.load.toFixed(2)}`;
  return elsewhere.length === 0
    ? load
    : `${load}; other programs used ${median(elsewhere).toFixed(2)} cores in the median, ${Math.max(...elsewhere).toFixed(2)} at most`;
}

function measurementsOf(
  measurements: readonly Measurement[],
  kind: KindName,
  nodes: number,
  rate: number,
): Measurement[] {
  return measurements.filter(
    (each) => each.kind === kind && each.nodes === nodes && each.rate === rate,
  );
}

function columnsOf(kinds: readonly KindName[]): string[] {
  const there = installed(kinds);
  return kinds.map((kind) => (there.includes(kind) ? kind : `${kind}: not installed`));
}

interface Row {
  readonly title: string;
  /** Tells whether the row is part of the short table too. */
  readonly chooses?: boolean;
  readonly cell: (
    own: readonly Measurement[],
    of: (kind: KindName) => readonly Measurement[],
  ) => string;
}

const ROWS: readonly Row[] = [
  { title: 'published/s', cell: middle('rate') },
  { title: 'publisher late by, ms', cell: middle('late') },
  {
    title: 'lost',
    chooses: true,
    cell: sum(({ figures, lostInWarmUp }) => figures.lost + lostInWarmUp),
  },
  { title: 'twice', cell: sum(({ figures }) => figures.twice + figures.strange) },
  { title: 'delivery p50, ms', chooses: true, cell: middle('p50') },
  { title: 'delivery p99, ms', chooses: true, cell: middle('p99') },
  { title: 'longest, ms', cell: middle('longest') },
  { title: 'CPU per delivery, µs', chooses: true, cell: middle('cpu') },
  { title: '  ÷ flood', cell: (own, of) => ratio(own, of('flood')) },
  { title: '  ÷ NATS', cell: (own, of) => ratio(own, of('nats')) },
  { title: '  of which the server, µs', cell: middle('serverCpu') },
  { title: 'CPU of the publisher per message, µs', chooses: true, cell: middle('publisherCpu') },
  { title: 'cores used', cell: middle('cores') },
  { title: 'copies per delivery', chooses: true, cell: middle('copies') },
  { title: 'bytes per delivery', chooses: true, cell: middle('bytes') },
  { title: 'links per process', chooses: true, cell: middle('links') },
  { title: '  maximum', cell: middle('mostLinks') },
];

function middle(figure: keyof Figures): Row['cell'] {
  return (own) => {
    const values = own.map(({ figures }) => figures[figure]).filter((value) => value !== undefined);
    return values.length === 0 ? '-' : round3(median(values));
  };
}

function sum(figure: (each: Measurement) => number): Row['cell'] {
  return (own) =>
    own.length === 0 ? '-' : round3(own.reduce((total, each) => total + figure(each), 0));
}

/** Returns the median of the ratios of CPU per delivery, round by round. */
function ratio(own: readonly Measurement[], others: readonly Measurement[]): string {
  const ratios = own.flatMap(({ round, figures }) => {
    const other = others.find((each) => each.round === round)?.figures.cpu;
    return figures.cpu === undefined || other === undefined ? [] : [figures.cpu / other];
  });
  return ratios.length === 0 ? '-' : median(ratios).toFixed(2);
}
