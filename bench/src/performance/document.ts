// Builds docs/performance.md from the figures.

import { withVersion } from '../adapters/peers.ts';
import { compare, judge, withoutBound } from '../bars.ts';
import { type BarsPlot, formatBars } from '../bars-plot.ts';
import { shortTableOf as tableOfLine } from '../long-line/report.ts';
import {
  judge as judgeObserving,
  type ObservingFigures,
  shortTableOf as tableOfObserving,
} from '../observing/report.ts';
import { formatSvg } from '../plot.ts';
import { LIMIT as RAW } from '../scale/point.ts';
import { formatShort, plotsOf } from '../scale/report.ts';
import { tableOfLoads } from '../simulation/loads-report.ts';
import { judge as judgeStart, tableOf } from '../start/report.ts';
import { markdownTable } from '../table.ts';
import { judge as judgeTypes, tableOf as tableOfTypes } from '../types/report.ts';
import { formatScenarios, measuredLibraries, measuredScenarios, ratioBars } from './calls.ts';
import { type Machine, type PerformanceRecord, roundsOf } from './record.ts';

export function formatDocument(record: PerformanceRecord): string {
  const rounds = roundsOf(record.calls);
  const lines = [
    '# Performance',
    '',
    'This page compares the cost of Trunkline with the lowest cost that Node allows.',
    '',
    'That lowest cost is `limit-net`: hand-written calls over a socket, with a length and an id before each message, one write per tick and one promise per call. Programs write this page; [bench](../bench/README.md) shows how to run them.',
    '',
    ...formatMachines(record),
    '',
    ...HOW_TO_READ,
    '',
    ...formatJudgments(record, rounds),
    ...(rounds.length === 0 ? [] : formatCalls(record, rounds)),
    ...formatScale(record),
    ...formatLine(record),
    ...formatStart(record),
    ...formatTypes(record),
    ...formatObserving(record),
    ...formatSimulation(record),
    '**Next:** [scale](scale.md) says what a network costs from 10 to 100,000 nodes.',
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

/** Returns the files of the plots by name. */
export function formatPlots(record: PerformanceRecord): Map<string, string> {
  const bars: BarsPlot | undefined = ratioBars(roundsOf(record.calls));
  const plots = new Map(
    plotsOf(pointsOf(record)).map((plot) => [`${plot.name}.svg`, formatSvg(plot)]),
  );
  if (bars !== undefined) plots.set(`${bars.name}.svg`, formatBars(bars));
  return plots;
}

function formatMachines(record: PerformanceRecord): string[] {
  const measured: readonly (readonly [string, Machine])[] = [
    ...machinesOf('calls', record.calls),
    ...machinesOf('calls on a newer Node', record.newer ?? {}),
    ...machinesOf('scale', record.scale),
    ...(record.line === undefined ? [] : [['a long line', record.line.machine] as const]),
    ...(record.start === undefined ? [] : [['starting', record.start.machine] as const]),
    ...(record.types === undefined ? [] : [['types', record.types.machine] as const]),
    ...machinesOf('observing', record.observing ?? {}),
    ...(record.simulation === undefined
      ? []
      : [['simulation', record.simulation.machine] as const]),
  ];
  const byMachine = new Map<string, string[]>();
  for (const [what, machine] of measured) {
    const { processor, cores, kernel, node } = machine;
    const told = [processor, String(cores), kernel, node].join(' | ');
    byMachine.set(told, [...(byMachine.get(told) ?? []), what]);
  }
  const only = byMachine.size === 1;
  const rows = [...byMachine].map(([told, what]) => [
    only ? 'all' : what.join(', '),
    ...told.split(' | '),
  ]);
  return markdownTable(['measured', 'processor', 'cores', 'kernel', 'Node'], rows, 5);
}

/** Names the parts by `title` alone if one machine measured them all. */
function machinesOf(
  title: string,
  parts: Readonly<Record<string, { readonly machine: Machine }>>,
): (readonly [string, Machine])[] {
  const entries = Object.entries(parts).map(([name, { machine }]) => [name, machine] as const);
  const isOne = new Set(entries.map(([, machine]) => JSON.stringify(machine))).size === 1;
  return isOne
    ? [[title, entries[0]![1]]]
    : entries.map(([name, machine]) => [`${title}: ${name}`, machine]);
}

const HOW_TO_READ = [
  '## How to read it',
  '',
  'Figures are medians over all rounds. A figure in brackets is the median of the ratios to another column of the same round. Compare these ratios: the speed of a machine varies, but measurements within seconds of each other are affected alike. `limit-net again` compares the limit with itself: the distance of its ratio from 1 shows how far other ratios may be from the truth.',
  '',
  'The other libraries run with default options. They do not all do the same work: some serialize values, a NATS call goes through a broker, and only some have deadlines. So a factor of two says little, but a factor of ten does.',
];

/** Formats the bars, on a newer Node too if it was measured in the same rounds. */
function formatJudgments(record: PerformanceRecord, rounds: ReturnType<typeof roundsOf>): string[] {
  const verdicts = [
    ...judge(rounds),
    ...(record.start === undefined ? [] : judgeStart(record.start.figures)),
    ...(record.types === undefined ? [] : judgeTypes(record.types.figures)),
  ];
  if (verdicts.length === 0) return [];
  const { calls, newer = {} } = record;
  const compared = compare(rounds, roundsOf(newer));
  const newest = Object.values(newer)[0]?.machine.node;
  const missed = (holds: boolean, text: string) => (holds ? text : `**${text}**`);
  const rows = [
    ...verdicts.map(({ bar, ratio, holds }) => {
      const other = compared.find(
        (each) => each.older !== undefined && each.bar === withoutBound(bar),
      );
      return [
        bar,
        missed(holds, ratio.toPrecision(3)),
        other?.newer.toPrecision(3) ?? '',
        other === undefined ? '' : missed(other.holds, other.worse!.toFixed(2)),
      ];
    }),
    ...compared
      .filter(({ older }) => older === undefined)
      .map(({ bar, newer, holds }) => [bar, '', missed(holds, newer.toPrecision(3)), '']),
  ];
  const node = Object.values(calls)[0]?.machine.node;
  const head = ['bar', node === undefined ? 'it is' : `Node ${node}`];
  return [
    '## Bars',
    '',
    `${verdicts.filter(({ holds }) => holds).length} of ${verdicts.length} hold; bold ones are missed. A bar is a limit that we set for ourselves.${
      newest === undefined
        ? ''
        : ' Each column ran on both versions of Node in turn; the last column says how many times worse the newer one was, of which 1.15 is allowed.'
    }`,
    '',
    ...(newest === undefined
      ? markdownTable(
          head,
          rows.map((row) => row.slice(0, 2)),
          1,
        )
      : markdownTable([...head, `Node ${newest}`, 'times worse'], rows, 1)),
    '',
  ];
}

function formatCalls({ calls }: PerformanceRecord, rounds: ReturnType<typeof roundsOf>): string[] {
  const libraries = measuredLibraries(rounds);
  const lengths = [
    ...new Set(
      Object.values(calls).map(({ window, rounds }) => `${rounds.length} rounds of ${window} ms`),
    ),
  ].join(', ');
  return [
    '## Calls',
    '',
    `One connection between two processes, each on a core of its own, in ${lengths} after a warm-up. The WebSocket columns are compared with \`limit-ws\`, those in memory with \`limit-inproc\`, the codecs with \`trunkline-tcp\`, and all others with \`limit-net\`; but in s4 and s5 Trunkline is compared with \`limit-net-credit\`, which lets small messages pass large ones, too. In the chart, a longer bar to the right is faster.`,
    '',
    ...measuredScenarios(rounds).map(({ name, title }) => `- **${name}**: ${title}`),
    '',
    ...(libraries.length === 0 ? [] : [`Other libraries: ${libraries.join(', ')}.`, '']),
    '![Calls beside the raw limit](performance/calls.svg)',
    '',
    ...formatScenarios(rounds),
    '',
  ];
}

function formatScale(record: PerformanceRecord): string[] {
  const curves = Object.values(record.scale);
  if (curves.length === 0) return [];
  const points = pointsOf(record);
  const lengths = [
    ...new Set(curves.map(({ rounds, window }) => `${rounds} rounds of ${window} ms`)),
  ].join(', ');
  return [
    '## Scale',
    '',
    `Plain TCP is compared with \`${RAW}\`, in ${lengths}. The last column is the ratio of the calls a second.`,
    '',
    formatShort(points),
    '',
    ...plotsOf(points).flatMap(({ name, title }) => [`![${title}](performance/${name}.svg)`, '']),
  ];
}

function formatLine({ line }: PerformanceRecord): string[] {
  if (line === undefined) return [];
  const { figures, mib, rounds } = line;
  const [head, ...rows] = tableOfLine(figures);
  return [
    '## A long line',
    '',
    `The line has a round trip of 100 ms, 100 Mbit/s and a queue of 1.25 MB, in network namespaces. Each measurement transfers ${mib} MiB over a new connection, in ${rounds} rounds. The figures are Mbit/s, and in brackets their ratio to a raw socket, for each backend and congestion control; small calls are in round trips. Messages in turn wait a round trip for every 4 MiB.`,
    '',
    ...markdownTable(head!, rows, 1),
    '',
  ];
}

function formatStart({ start }: PerformanceRecord): string[] {
  if (start === undefined) return [];
  const [head, ...rows] = tableOf(start.figures).map(([name, time, , rss, heap]) => [
    name!,
    time!,
    rss!,
    heap!,
  ]);
  return [
    '## Starting',
    '',
    `Loading a package adds this to bare Node, in medians of ${start.runs} processes. The heap is that after GC.`,
    '',
    ...markdownTable(head!, rows, 1),
    '',
  ];
}

function formatTypes({ types }: PerformanceRecord): string[] {
  if (types === undefined) return [];
  const { figures, methods, runs } = types;
  const [head, ...rows] = tableOfTypes(figures);
  return [
    '## Types',
    '',
    `TypeScript checks programs that define, implement and call ${methods} methods with the same zod schemas: as plain functions that parse their arguments and results, as a protocol, and as a router of ${withVersion('@trpc/server')}. The figures are medians of ${runs} runs of the compiler on one thread.`,
    '',
    ...markdownTable(head!, rows, 1),
    '',
  ];
}

function formatObserving({ observing }: PerformanceRecord): string[] {
  if (observing === undefined) return [];
  const figures = observed(observing);
  const lengths = [
    ...new Set(
      Object.values(observing).map((each) => `${each.rounds} rounds of ${each.window} ms`),
    ),
  ].join(', ');
  const [head, ...rows] = tableOfObserving(figures);
  const verdicts = judgeObserving(figures);
  const missed = verdicts.filter(({ holds }) => !holds).map(({ bar }) => bar);
  return [
    '## Observing',
    '',
    `Observed calls are compared with the same calls without an observer, in ${lengths}: the ratio of the calls a second, its 95 % interval, and the CPU time that a call takes more, at both ends together. Spans are made by the SDK of OpenTelemetry and batched, but not sent. ${verdicts.length - missed.length} of ${verdicts.length} bars hold${missed.length === 0 ? '' : `; missed: ${missed.join('; ')}`}.`,
    '',
    ...markdownTable(head!, rows, 1),
    '',
  ];
}

function formatSimulation({ simulation }: PerformanceRecord): string[] {
  if (simulation === undefined) return [];
  const { figures, rounds, window } = simulation;
  const [head, ...rows] = tableOfLoads(figures).map((cells) => cells.slice(0, 3));
  return [
    '## Simulation',
    '',
    `Four programs run in [simulations](simulation.md), in ${rounds} rounds of ${window} ms of CPU time. The figures are virtual time and events, each divided by CPU time.`,
    '',
    ...markdownTable(head!, rows, 1),
    '',
  ];
}

function observed(observing: NonNullable<PerformanceRecord['observing']>): ObservingFigures[] {
  return Object.values(observing).flatMap(({ figures }) => figures);
}

function pointsOf({ scale }: PerformanceRecord) {
  return Object.values(scale).flatMap(({ points }) => points);
}
