// Builds docs/performance.md from the figures and a section written by hand.

import { withVersion } from '../adapters/peers.ts';
import { compare, judge, type Verdict } from '../bars.ts';
import { type BarsPlot, formatBars } from '../bars-plot.ts';
import { tableOf as tableOfLine } from '../long-line/report.ts';
import {
  judge as judgeObserving,
  type ObservingFigures,
  tableOf as tableOfObserving,
} from '../observing/report.ts';
import { formatSvg } from '../plot.ts';
import { LIMIT as RAW } from '../scale/point.ts';
import { formatMarkdown, plotsOf } from '../scale/report.ts';
import { tableOfLoads } from '../simulation/loads-report.ts';
import { judge as judgeStart, tableOf } from '../start/report.ts';
import { markdownTable } from '../table.ts';
import { judge as judgeTypes, tableOf as tableOfTypes } from '../types/report.ts';
import { formatScenario, measuredLibraries, measuredScenarios, ratioBars } from './calls.ts';
import { type Machine, type PerformanceRecord, roundsOf } from './record.ts';

/** @param tried the text of the section 'What was tried'. */
export function formatDocument(record: PerformanceRecord, tried: string): string {
  const rounds = roundsOf(record.calls);
  const verdicts = [
    ...judge(rounds),
    ...(record.start === undefined ? [] : judgeStart(record.start.figures)),
    ...(record.types === undefined ? [] : judgeTypes(record.types.figures)),
    ...(record.observing === undefined ? [] : judgeObserving(observed(record.observing))),
  ];
  const lines = [
    '# Performance',
    '',
    'This page compares the cost of Trunkline with the lowest cost that Node allows.',
    '',
    '`limit-net` stands for hand-written calls over a socket, with a length and an id before each message. Programs write this file, so no figure in it is typed by hand. [bench](../bench/README.md) explains what each program measures.',
    '',
    '```',
    'npx pnpm@12 bench --peers --beside … --report    # calls, and the same on a newer Node',
    'npx pnpm@12 bench scale --report                 # more in flight, more connections, larger messages',
    'npx pnpm@12 bench line --report                  # a long line; needs root and Linux',
    'npx pnpm@12 bench start --report                 # what packages take to load',
    'npx pnpm@12 bench types --peers --report         # what types take to check',
    'npx pnpm@12 bench observing --report             # what interceptors, metrics and spans cost',
    'npx pnpm@12 bench simulation-loads --report      # how fast simulations run',
    '```',
    '',
    ...formatMachines(record),
    '',
    ...HOW_TO_READ,
    '',
    ...formatVerdicts(verdicts),
    ...(rounds.length === 0 ? [] : formatCalls(record, rounds)),
    ...formatNewer(record, rounds),
    ...formatScale(record),
    ...formatLine(record),
    ...formatStart(record),
    ...formatTypes(record),
    ...formatObserving(record),
    ...formatSimulation(record),
    '## What was tried',
    '',
    tried.trim(),
    '',
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
    ...Object.entries(record.calls).map(([name, { machine }]) => [name, machine] as const),
    ...Object.entries(record.newer ?? {}).map(([name, { machine }]) => [name, machine] as const),
    ...Object.entries(record.scale).map(
      ([part, { machine }]) => [`scale of ${part}`, machine] as const,
    ),
    ...(record.line === undefined ? [] : [['a long line', record.line.machine] as const]),
    ...(record.start === undefined ? [] : [['starting', record.start.machine] as const]),
    ...(record.types === undefined ? [] : [['types', record.types.machine] as const]),
    ...Object.entries(record.observing ?? {}).map(
      ([carrier, { machine }]) => [`observing, ${carrier}`, machine] as const,
    ),
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

const HOW_TO_READ = [
  '## How to read it',
  '',
  'The figures of a table are medians over all rounds. The figure in brackets is the median of the ratios to another column of the same round, which the last column names. The speed of a machine varies, by as much as a factor of two if it is shared, but measurements within seconds of each other are affected alike. Therefore compare ratios, and read absolute figures as those of one machine on one day.',
  '',
  '`limit-net again` compares the limit with itself, measured like any other column. The distance of its ratio from 1 shows how far other ratios may be from the truth. A measurement takes 1.5 s after a warm-up of the same length (`s1` after 4.5 s, because it makes few calls, and V8 compiles a function only after many). There are five rounds unless a section says otherwise. With windows of half that length, one median in five was off by a fifth. The CPU time of both processes shows differences that waiting hides: with one call in flight all columns wait for the same two wake-ups, and only the CPU time differs.',
  '',
  'The other libraries are used as their documentation describes, with default options. They do not all do the same work: some serialize values and others carry bytes, a NATS call goes through a broker, and only some have deadlines. A factor of two between them says little, but a factor of ten does.',
];

function formatVerdicts(verdicts: readonly Verdict[]): string[] {
  if (verdicts.length === 0) return [];
  const held = verdicts.filter(({ holds }) => holds).length;
  const rows = verdicts.map(({ bar, ratio, holds }) => [
    bar,
    ratio.toPrecision(3),
    holds ? 'holds' : '**missed**',
  ]);
  return [
    '## Bars',
    '',
    `${held} of ${verdicts.length} hold.`,
    '',
    ...markdownTable(['bar', 'it is', ''], rows, 1),
    '',
  ];
}

function formatCalls({ calls }: PerformanceRecord, rounds: ReturnType<typeof roundsOf>): string[] {
  const libraries = measuredLibraries(rounds);
  return [
    '## Calls',
    '',
    'There is one connection between two processes, each on a core of its own. The bars of the chart show the first figure of each table, or its inverse if it is a time, so that a longer bar to the right is faster.',
    '',
    ...(libraries.length === 0 ? [] : [`Other libraries: ${libraries.join(', ')}.`, '']),
    '![Calls beside the raw limit](performance/calls.svg)',
    '',
    ...measuredScenarios(rounds).flatMap((scenario) => {
      const { window, rounds: measured } = calls[scenario.name]!;
      return [
        ...formatScenario(rounds, scenario),
        '',
        ...(window === 1_500 && measured.length === 5
          ? []
          : [`${measured.length} rounds of ${window} ms.`, '']),
      ];
    }),
  ];
}

/** Formats the bars on a newer Node beside those on the first. */
function formatNewer(
  { calls, newer = {} }: PerformanceRecord,
  rounds: ReturnType<typeof roundsOf>,
): string[] {
  const after = roundsOf(newer);
  const rows = compare(rounds, after).map(({ bar, older, newer, worse, holds }) => [
    bar,
    older === undefined ? '' : older.toPrecision(3),
    newer.toPrecision(3),
    worse === undefined ? '' : worse.toFixed(2),
    holds ? 'holds' : '**worse**',
  ]);
  if (rows.length === 0) return [];
  const counts = [...new Set(Object.values(newer).map(({ rounds }) => rounds.length))].sort(
    (a, b) => a - b,
  );
  const version = (of: PerformanceRecord['calls']) => `Node ${Object.values(of)[0]!.machine.node}`;
  return [
    '## On a newer Node',
    '',
    `These are the figures of the bars in ${counts.join(' or ')} rounds of ${Object.values(newer)[0]!.window} ms. Each column ran on both versions of Node, one right after the other, because two runs an hour apart differ by more than two versions do. The last column says how many times worse the newer Node was, as the median over the rounds; 1.15 is allowed. A 99th percentile is compared with that of \`limit-net-credit\` on the same Node.`,
    '',
    ...markdownTable(['figure', version(calls), version(newer), 'times worse', ''], rows, 1),
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
    `Plain TCP is compared with \`${RAW}\`, in ${lengths}. The last column is the ratio of the calls a second. The memory of a connection is that of the server: the growth from one number of connections to the next, divided by the difference.`,
    '',
    formatMarkdown(points),
    '',
    ...plotsOf(points).flatMap(({ name, title }) => [`![${title}](performance/${name}.svg)`, '']),
  ];
}

function formatLine({ line }: PerformanceRecord): string[] {
  if (line === undefined) return [];
  const { figures, load, machine, mib, rounds } = line;
  const [head, ...rows] = tableOfLine(figures);
  return [
    '## A long line',
    '',
    `The line has a round trip of 100 ms, 100 Mbit/s and a queue of 1.25 MB, and is emulated in network namespaces (\`npx pnpm@12 bench line\`). Each measurement transfers ${mib} MiB over a new connection, right after a raw socket did the same. The figures are medians of ${rounds} rounds, and the ratios are medians of those within a round. "Messages in turn" wait for each answer before the next message, so they take a round trip for every 4 MiB and can use at most 0.77 of the line. The small calls were made during the streams, 20 ms apart. The load average of the ${machine.cores} cores was ${load.toFixed(1)}.`,
    '',
    ...markdownTable(head!, rows, 3),
    '',
  ];
}

function formatStart({ start }: PerformanceRecord): string[] {
  if (start === undefined) return [];
  const [head, ...rows] = tableOf(start.figures);
  return [
    '## Starting',
    '',
    `The figures show what loading a package takes in a new process, in addition to bare Node in the same round. They are medians of ${start.runs} processes. CPU is that of all threads, and the heap is measured after GC.`,
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
    `TypeScript checks programs that define, implement and call ${methods} methods with the same zod schemas: as plain functions that parse their arguments and results, as a protocol, and as a router of ${withVersion('@trpc/server')}. The figures are medians of ${runs} runs of the compiler on one thread, from start to end; the ratio is the median of those in the same round.`,
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
  const before = figures.some(({ what }) => what === 'off')
    ? ' The first rows compare unobserved calls of this version with those of the version before interceptors, metrics and spans were added.'
    : '';
  return [
    '## Observing',
    '',
    `Observed calls are compared with the same calls without an observer, in ${lengths} (\`npx pnpm@12 bench observing\`).${before} Each figure is a median over the rounds; the interval is that of the median ratio, by the sign test. In memory both ends are in one process. The CPU time is the additional time of a call, at both ends together. Spans are made by the SDK of OpenTelemetry and batched, but not sent.`,
    '',
    ...markdownTable(head!, rows, 3),
    '',
  ];
}

function formatSimulation({ simulation }: PerformanceRecord): string[] {
  if (simulation === undefined) return [];
  const { figures, rounds, window } = simulation;
  const [head, ...rows] = tableOfLoads(figures);
  const before = figures.some(({ ratio }) => ratio !== undefined)
    ? ' `÷ before` is the ratio to the version before these loads were measured, in the same rounds, with the 95 % interval of its median by the sign test.'
    : '';
  return [
    '## Simulation',
    '',
    `Four programs run in [simulations](simulation.md), one seed after the other, in one process on one core: ${rounds} rounds of ${window} ms of CPU time after a warm-up twice as long (\`npx pnpm@12 bench simulation-loads\`). The figures are medians over the rounds: virtual time and events, each divided by CPU time, because CPU time depends less on what else the machine does; on a core of its own, a simulation takes as much real time.${before} The other columns are shares of the time in this version, by a sampling profiler: \`load\` is the program with zod and yjs, and the functions of the runtime count as part of their callers.`,
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
