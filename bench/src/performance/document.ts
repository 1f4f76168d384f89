// Builds docs/performance.md from the figures.

import { PEER_NAMES, REAL_PEERS, versionsOf } from '../adapters/table.ts';
import type { Figure } from '../benchmark.ts';
import { grouped } from '../grouped.ts';
import { ratioText, tableOf } from '../report.ts';
import type { SummaryRow } from '../summary.ts';
import { markdownTable, round3 } from '../table.ts';
import type { Part, PerformanceRecord } from './record.ts';

/** A chapter of the page. */
interface Chapter {
  /** The benchmark. */
  readonly name: string;
  readonly heading: string;
  /** @param settings how it was measured. */
  text(settings: string, parts: readonly Part[]): string;
  /** Formats the tables. Default: the first one, with all its figures. */
  readonly format?: (parts: readonly Part[]) => string;
  /** Rows or figures that the page leaves out. */
  readonly hides?: RegExp;
}

const CHAPTERS: readonly Chapter[] = [
  {
    name: 'real',
    heading: 'What programs send',
    text: (settings, parts) => {
      const titles = parts.map(
        ({ title, rows: [row] }) => `- ${row!.group}: ${title[0]!.toLowerCase()}${title.slice(1)}`,
      );
      return `Two processes exchange objects as JSON over one connection, in ${settings} after a warm-up. The first table shows calls or items per second. The second table shows the CPU time of both processes per call or item, in µs. A figure in brackets is the ratio to a *bare socket*, which does the same work without a library. This socket uses TLS for rows with TLS, and TCP for all others.\n\n${titles.join('\n')}\n\nThe bare socket uses \`JSON.stringify\`, \`JSON.parse\`, and a length and an id before each message. The sender and the receiver check each value by the same zod schemas, but tRPC checks all values at its server only. gRPC carries the same JSON instead of protobuf, so that the tables compare libraries and not codecs. With TLS, both ends have certificates. All options have their defaults, but Trunkline's [limit \`values\`](limits.md#codecs) is higher in the column *list*.${othersOf(parts, REAL_PEERS)}`;
    },
    format: joinFigures,
  },
  {
    name: 'calls',
    heading: 'Calls',
    text: (settings, parts) => {
      const titles = parts.map(({ title }) => `- ${title}`);
      return `Two processes, each on its own core, use one connection, in ${settings} after a warm-up. Figures in brackets are ratios to \`limit-net\`, except in these rows:\n\n- \`trunkline-ws\`: ratios to \`limit-ws\`\n- rows in memory (\`trunkline-inmem…\`): to \`limit-inproc\`\n- \`trunkline-tcp-protobuf\`: to \`trunkline-tcp\`\n- \`trunkline-tcp\` in the columns s4 and s5: to \`limit-net-credit\`, which, like Trunkline, lets small messages pass large ones\n\nThe columns show:\n\n${titles.join('\n')}${othersOf(parts, PEER_NAMES)}`;
    },
    format: joinColumns,
    hides: /-(early|consumer|fixed)$/,
  },
  {
    name: 'scale',
    heading: 'Scale',
    text: (settings) =>
      `Each row was measured in ${settings}. The figures are calls per second, with the ratio to \`limit-net\` in brackets.`,
    format: joinRows,
  },
  {
    name: 'line',
    heading: 'A long line',
    text: (settings) =>
      `The line, between two network namespaces of Linux, has a round trip of 100 ms, a bandwidth of 100 Mbit/s and a queue of 1.25 MB. The columns name the transport, and the congestion control of TCP. Each measurement uses a new connection (${settings}). The figures are Mbit/s, with the ratio to a raw socket in brackets. The figures for small calls are durations in round trips. Requests and responses "in turn" are sent one at a time, so each waits for a round trip.`,
    format: joinColumns,
    hides: /, raw$/,
  },
  {
    name: 'start',
    heading: 'Starting',
    text: (settings) =>
      `The table shows the time and the memory (RSS) that a process needs to load the named packages, in ${settings}.`,
    hides: /^CPU/,
  },
  {
    name: 'observing',
    heading: 'Observing',
    text: (settings, parts) => {
      const verdicts = parts.flatMap((part) => part.verdicts);
      const missed = verdicts.filter(({ holds }) => !holds).map(({ bar }) => bar);
      return `The table compares observed calls with the same calls without an observer, in ${settings}. The figures are calls per second, with the ratio and its 95 % interval in brackets. The SDK of OpenTelemetry makes and batches spans, but does not send them. ${verdicts.length - missed.length} of ${verdicts.length} [bars](#bars) hold${missed.length === 0 ? '' : `, all except "${missed.join('" and "')}"`}.`;
    },
    format: joinColumns,
    hides: /^plain|the checkout before/,
  },
  {
    name: 'simulation-loads',
    heading: 'Simulation',
    text: (settings) =>
      `Four programs run in [simulations](simulation.md), in ${settings} of CPU time. The columns show virtual time and events, each divided by CPU time.`,
    hides: /, before$/,
  },
];

/** The names of the benchmarks with a chapter. */
export const PUBLISHED = CHAPTERS.map(({ name }) => name);

/** Returns the packages of the libraries that were measured, as a paragraph of their own. */
function othersOf(parts: readonly Part[], libraries: readonly string[]): string {
  const names = new Set(namesOf(parts).map((name) => name.split(' over ')[0]));
  const versions = versionsOf(libraries.filter((library) => names.has(library)));
  return versions.length === 0 ? '' : `\n\nOther libraries: ${versions.join(', ')}.`;
}

export function formatDocument(record: PerformanceRecord): string {
  const chapters = CHAPTERS.filter(({ name }) => record[name] !== undefined);
  const isFirst = ({ name }: Chapter) => name === 'real';
  const [first, others] = [chapters.filter(isFirst), chapters.filter((each) => !isFirst(each))];
  const chapterOf = (each: Chapter) => formatChapter(each, Object.values(record[each.name]!));
  const paragraphs = [
    '# Performance',
    'This page compares the cost of Trunkline with that of other libraries, and with the lowest cost that Node allows.',
    '[bench](../bench/README.md) describes the rows of the tables, and how to measure them.',
    ...first.flatMap(chapterOf),
    formatMachines(record, chapters),
    '## How to read it',
    'In the next sections, the rows `limit-net` show the lowest cost: calls over a bare socket, with one write per tick and one promise per call. ',
    'Figures are medians over all rounds. A figure in brackets is the median of the ratios to another row in the same round. Compare these ratios, because the speed of a machine varies from round to round. `limit-net again` measures `limit-net` a second time. The distance of its ratio from 1 shows the error that other ratios can have.',
    'The rate of small calls depends on the machine. On two machines whose processors have the same name, `limit-net` made 0.7 to 1.7 million of the calls of s2 a second, and `trunkline-tcp` 0.6 to 1.8 times as many. CPU times tell more: on one of these machines, calls over `trunkline-tcp` take 1.1 times the CPU time of calls over `limit-net-early`. On the other, which is slower with every program and most with large ones, they took 1.5 to 2.2 times as much in an earlier version.',
    'Not all libraries do the same work, so a factor of two says little. A factor of ten is significant.',
    ...formatBars(record),
    ...others.flatMap(chapterOf),
    '**Next:** read [what a network of 10 to 100,000 nodes costs](scale.md).',
  ];
  return `${paragraphs.join('\n\n')}\n`;
}

function formatChapter(
  { heading, text, format = formatFirst, hides }: Chapter,
  parts: readonly Part[],
): string[] {
  const settings = [...new Set(parts.map((part) => part.settings))]
    .join(' or ')
    .replace(/^(\d+) (rounds of \d+ ms) or (\d+) \2$/, '$1 or $3 $2');
  const shown = parts.map((part) => ({
    ...part,
    figures: part.figures.filter(({ unit }) => hides?.test(unit) !== true),
    rows: part.rows.filter(({ name }) => hides?.test(name) !== true),
  }));
  return [`## ${heading}`, text(settings, parts), format(shown)];
}

/** A table with a row for each name and a column for the first figure of each part. */
function joinColumns(parts: readonly Part[]): string {
  const head = parts.map((part) => `${part.rows[0]!.group} ${unitOf(part)}`.trim());
  const rows = namesOf(parts).map((name) => [
    name === 'trunkline-tcp' ? `**${name}**` : name,
    ...parts.map((part) => firstOf(part, name)),
  ]);
  return tableWith(['', ...head], rows);
}

/** A table with a row for the first figure of each part and a column for each name. */
function joinRows(parts: readonly Part[]): string {
  const names = namesOf(parts);
  return tableWith(
    ['', ...names.map((name) => `${name} ${unitOf(parts[0]!)}`)],
    parts.map((part) => [part.title, ...names.map((name) => firstOf(part, name))]),
  );
}

/**
 * A table for each figure, with a row for each name and a column for each part. The text of the
 * chapter says what the figures are.
 */
function joinFigures(parts: readonly Part[]): string {
  const tables = parts[0]!.figures.map(({ key }) =>
    joinColumns(
      parts.map((part) => ({
        ...part,
        figures: [{ key, unit: '' }],
        rows: part.rows.map((row) => ({ ...row, name: row.name.replace(' over ', ', ') })),
      })),
    ),
  );
  return tables.join('\n\n');
}

function namesOf(parts: readonly Part[]): string[] {
  return [...new Set(parts.flatMap(({ rows }) => rows.map(({ name }) => name)))];
}

function unitOf({ rows, figures }: Part): string {
  return firstFigure(rows[0]!, figures)?.unit ?? '';
}

function firstOf({ rows, figures }: Part, name: string): string {
  const row = rows.find((each) => each.name === name);
  const figure = row && firstFigure(row, figures);
  if (figure === undefined) return '';
  const summary = row!.figures[figure.key]!;
  const ratio = ratioText(summary);
  return `${round3(summary.median)}${ratio === '' ? '' : ` (${ratio})`}`;
}

function firstFigure({ figures: own }: SummaryRow, figures: readonly Figure[]): Figure | undefined {
  return figures.find(({ key }) => own[key] !== undefined);
}

/** The first table, without differences between rows. */
function formatFirst([part]: readonly Part[]): string {
  const [head, ...rows] = tableOf(part!.rows, part!.figures);
  const pick = (cells: readonly string[]) => cells.filter((_, at) => at !== 1 && head![at] !== '−');
  return tableWith(pick(head!), rows.map(pick));
}

function tableWith(head: readonly string[], rows: string[][], texts = 1): string {
  return markdownTable(head, rows, texts).join('\n');
}

function formatMachines(record: PerformanceRecord, chapters: readonly Chapter[]): string {
  const measured = chapters.flatMap(({ name, heading }) =>
    Object.values(record[name]!).map(({ machine: { processor, cores, kernel, node } }) => ({
      what: heading.toLowerCase(),
      machine: [processor, String(cores), kernel, node],
    })),
  );
  const rows = [...grouped(measured, ({ machine }) => machine.join()).values()].map((own) => [
    [...new Set(own.map(({ what }) => what))].join(', '),
    ...own[0]!.machine,
  ]);
  return tableWith(['measured', 'processor', 'cores', 'kernel', 'Node'], rows, 5);
}

/** Formats the bars of all parts. */
function formatBars(record: PerformanceRecord): string[] {
  const parts = Object.entries(record).flatMap(([name, own]) =>
    name === 'observing' || name === 'line' ? [] : Object.values(own),
  );
  const verdicts = parts.flatMap((part) => part.verdicts);
  if (verdicts.length === 0) return [];
  const newest = parts.flatMap(({ newer }) => newer ?? [])[0]?.node;
  const head = ['bar', `Node ${parts[0]!.machine.node}`, ...(newest ? [`Node ${newest}`] : [])];
  const rows = parts.flatMap(({ newer, verdicts: own }) =>
    own
      .filter(({ bar, holds }) => !holds || bar.startsWith(CPU) || newer?.ratios[bar] !== undefined)
      .map(({ bar, ratio }) =>
        [bar, ratio.toPrecision(3), newer?.ratios[bar]?.toPrecision(3) ?? ''].slice(0, head.length),
      ),
  );
  rows.sort(([one], [other]) => +other!.startsWith(CPU) - +one!.startsWith(CPU));
  return [
    '## Bars',
    `A bar is a goal that we set for a ratio. Of ${verdicts.length} bars, ${verdicts.filter(({ holds }) => holds).length} hold on Node ${parts[0]!.machine.node}. The table begins with the CPU time of a small call, client and server together. It also lists the bars that do not hold${newest === undefined ? '' : `, and those whose figure is far worse on Node ${newest}`}. [Calls](#calls) explains s1 to s8.`,
    tableWith(head, rows),
  ];
}

/** The beginning of the bar that says most about Trunkline's own cost. */
const CPU = 's2 CPU: trunkline-tcp ÷';
