// Formats the curves as tables, for a terminal or Markdown, and as plots.

import type { Axis, Plot } from '../plot.ts';
import { alignTable, markdownTable, round3 } from '../table.ts';
import { CARRIERS, LIMIT, type Part, type PointFigures } from './point.ts';
import type { Summary } from './summary.ts';

interface Column {
  readonly title: string;
  figure(figures: PointFigures): number | undefined;
}

interface Shown {
  readonly part: Part;
  readonly title: string;
  readonly first: string;
  readonly columns: readonly Column[];
  /** The column that the plot shows. */
  readonly y: Column;
  /** The columns of the short table, which has one for each carrier. */
  readonly short: readonly Column[];
  name(at: number): string;
}

export interface ScaleTable {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Returns a table for each part that was measured. */
export function tablesOf(summaries: readonly Summary[]): ScaleTable[] {
  return SHOWN.filter(({ part }) => summaries.some((each) => each.part === part)).map(
    ({ part, title, first, columns, name }) => ({
      title,
      head: [first, 'carried by', ...columns.map((column) => column.title), `÷ ${LIMIT}`],
      rows: summaries
        .filter((each) => each.part === part)
        .sort((a, b) => a.at - b.at || CARRIERS.indexOf(a.carrier) - CARRIERS.indexOf(b.carrier))
        .map(({ at, carrier, figures, ratio }) => [
          name(at),
          carrier,
          ...columns.map((column) => cell(column.figure(figures))),
          ratio?.toFixed(2) ?? '',
        ]),
    }),
  );
}

export function formatText(summaries: readonly Summary[]): string {
  return tablesOf(summaries)
    .map(({ title, head, rows }) => `${title}\n${alignTable([head, ...rows], 2)}`)
    .join('\n\n');
}

export function formatMarkdown(summaries: readonly Summary[]): string {
  return tablesOf(summaries)
    .map(({ title, head, rows }) => `**${title}**\n\n${markdownTable(head, rows, 2).join('\n')}`)
    .join('\n\n');
}

/** Formats a table for each part, with the carriers side by side and without the CPU time. */
export function formatShort(summaries: readonly Summary[]): string {
  return SHOWN.flatMap(({ part, title, first, short, name }) => {
    const own = summaries.filter((each) => each.part === part);
    if (own.length === 0) return [];
    const rows = [...new Set(own.map(({ at }) => at))]
      .sort((a, b) => a - b)
      .map((at) => {
        const each = CARRIERS.map((carrier) =>
          own.find((summary) => summary.at === at && summary.carrier === carrier),
        );
        return [
          name(at),
          ...short.flatMap(({ figure }) =>
            each.map((summary) => cell(summary && figure(summary.figures))),
          ),
          each.at(-1)?.ratio?.toFixed(2) ?? '',
        ];
      });
    const head = [
      first,
      ...short.flatMap((column) => CARRIERS.map((carrier) => `${carrier} ${column.title}`)),
      `÷ ${LIMIT}`,
    ];
    return [`**${title}**\n\n${markdownTable(head, rows, 1).join('\n')}`];
  }).join('\n\n');
}

/** Returns a plot for each part that was measured, with logarithmic axes. */
export function plotsOf(summaries: readonly Summary[]): Plot[] {
  return SHOWN.flatMap(({ part, title, first, y, name }) => {
    const measured = summaries.filter((each) => each.part === part && y.figure(each.figures)! > 0);
    if (measured.length === 0) return [];
    const points = [...new Set(measured.map(({ at }) => at))].sort((a, b) => a - b);
    return [
      {
        name: `scale-${part}`,
        title,
        // Points are placed by their index, because the factors between them differ.
        x: {
          label: first,
          from: -0.3,
          to: points.length - 0.7,
          ticks: points.map((_, at) => at),
          name: (tick: number) => name(points[tick]!),
        },
        y: logarithmic(
          y.title,
          measured.map(({ figures }) => y.figure(figures)!),
        ),
        series: CARRIERS.map((carrier) => ({
          label: carrier,
          points: measured
            .filter((each) => each.carrier === carrier)
            .map(({ at, figures }) => [points.indexOf(at), Math.log10(y.figure(figures)!)] as const)
            .sort(([a], [b]) => a - b),
        })),
      },
    ];
  });
}

function logarithmic(label: string, values: readonly number[]): Axis {
  const from = Math.floor(Math.log10(Math.min(...values)));
  const to = Math.max(Math.ceil(Math.log10(Math.max(...values))), from + 1);
  const ticks = Array.from({ length: to - from + 1 }, (_, at) => from + at);
  return { label, from, to, ticks, name: (tick) => (10 ** tick).toLocaleString('en-US') };
}

function cell(value: number | undefined): string {
  return value === undefined ? '' : round3(value);
}

function bytesName(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  return bytes < 1_048_576 ? `${bytes / 1_024} KiB` : `${bytes / 1_048_576} MiB`;
}

const RATE: Column = { title: 'calls/s', figure: ({ rate }) => rate };
const BULK: Column = { title: 'MB/s', figure: ({ bulk }) => bulk };
const SERVER_CPU: Column = {
  title: 'server CPU, ns per call',
  figure: ({ serverCpu }) => serverCpu,
};
const CPU: readonly Column[] = [
  { title: 'client CPU, ns per call', figure: ({ clientCpu }) => clientCpu },
  SERVER_CPU,
];
const RSS: Column = {
  title: 'RSS, KiB per connection',
  figure: ({ rss }) => rss && rss / 1_024,
};
const MEMORY: readonly Column[] = [
  RSS,
  { title: 'heap, KiB per connection', figure: ({ heap }) => heap && heap / 1_024 },
];

const SHOWN: readonly Shown[] = [
  {
    part: 'flight',
    title: '64 bytes echoed, one connection',
    first: 'in flight',
    columns: [RATE, ...CPU],
    y: RATE,
    short: [RATE],
    name: String,
  },
  {
    part: 'connections',
    title: '64 bytes echoed, 128 in flight over all connections',
    first: 'connections',
    columns: [RATE, ...CPU, ...MEMORY],
    y: SERVER_CPU,
    short: [RATE, RSS],
    name: (count) => count.toLocaleString('en-US'),
  },
  {
    part: 'sizes',
    title: 'One connection; up to 64 KiB are echoed, larger ones answered with a receipt',
    first: 'message',
    columns: [RATE, BULK, ...CPU],
    y: BULK,
    short: [RATE],
    name: bytesName,
  },
];
