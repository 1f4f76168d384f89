// Builds docs/performance.md from the figures and a section written by hand.

import { compare, judge, type Verdict } from '../bars.ts';
import { type BarsPlot, formatBars } from '../bars-plot.ts';
import { tableOf as tableOfLine } from '../long-line/report.ts';
import { formatSvg } from '../plot.ts';
import { LIMIT as RAW } from '../scale/point.ts';
import { formatMarkdown, plotsOf } from '../scale/report.ts';
import { judge as judgeStart, tableOf } from '../start/report.ts';
import { markdownTable } from '../table.ts';
import { formatScenario, measuredLibraries, measuredScenarios, ratioBars } from './calls.ts';
import { type Machine, type PerformanceRecord, roundsOf } from './record.ts';

/** @param tried the text of the section 'What was tried'. */
export function formatDocument(record: PerformanceRecord, tried: string): string {
  const rounds = roundsOf(record.calls);
  const verdicts = [
    ...judge(rounds),
    ...(record.start === undefined ? [] : judgeStart(record.start.figures)),
  ];
  const lines = [
    '# Performance',
    '',
    'What Trunkline costs beside the least that Node can do: `limit-net` is calls hand-written over a socket, a length and an id before each message. Programs write this file, so no figure in it is typed; [bench](../bench/README.md) tells what each measures.',
    '',
    '```',
    'npx pnpm@12 bench --peers --beside … --report    # calls, and the same on a newer Node',
    'npx pnpm@12 bench scale --report                 # more in flight, more connections, larger messages',
    'npx pnpm@12 bench line --report                  # a long line; needs root and Linux',
    'npx pnpm@12 bench start --report                 # what packages take to load',
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
    '## What was tried',
    '',
    tried.trim(),
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
  'The figures of a table are medians over rounds, and in brackets stands the median of the ratios to another column of the same round, which the last column names. A machine gets faster and slower, by as much as a factor of two where it is shared; what ran within seconds of each other was hit alike. So compare ratios, and take absolute figures as what one machine did on one day.',
  '',
  '`limit-net again` is the limit against itself, measured as any other column: as far as its ratio is from 1, another ratio may be from the truth. A measurement takes 1.5 s after as much of warm-up (`s1` after 4.5 s: its calls are few, and V8 compiles after so many), and there are five rounds, unless the section says otherwise; with windows of half that length one median in five was off by a fifth. CPU of both processes shows what waiting hides: at one call in flight all columns wait for the same two wake-ups, and only CPU tells them apart.',
  '',
  'The other libraries are used as their documentation tells, with defaults. They do not do the same work as each other: some serialize values where others carry bytes, a NATS call passes a broker, and only some have deadlines. A factor of two between them says little, one of ten does.',
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
    'One connection between two processes, each on a core of its own. The bars are by the first figure of each table; of a time they are its inverse, so that longer to the right is faster.',
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
    `The bars' figures in ${counts.join(' or ')} rounds of ${Object.values(newer)[0]!.window} ms. Each column ran on both, one right after the other, since two runs an hour apart differ by more than two Nodes do; how many times worse the newer was is the median over the rounds, and may be 1.15. A tail is set beside that of \`limit-net-credit\` on the same Node.`,
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
    `Plain TCP beside \`${RAW}\`, ${lengths}; the last column is the ratio of the calls a second. The memory of a connection is the server's, between one count and the next.`,
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
    `100 ms there and back, 100 Mbit/s, with a queue of 1.25 MB, emulated in network namespaces (\`npx pnpm@12 bench line\`). Each measurement carries ${mib} MiB over a new connection, right after a raw socket did; medians of ${rounds} rounds, the ratio of those within a round. Messages in turn wait for an answer each, so they pay a round trip for every 4 MiB: at most 0.77 of the line. The small calls ran beside the streams, 20 ms apart. A load of ${load.toFixed(1)} wanted the ${machine.cores} cores meanwhile.`,
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
    `Until a package is loaded, in fresh processes, on top of what bare Node takes in the same round: medians of ${start.runs}. CPU is that of all threads, the heap is after GC.`,
    '',
    ...markdownTable(head!, rows, 1),
    '',
  ];
}

function pointsOf({ scale }: PerformanceRecord) {
  return Object.values(scale).flatMap(({ points }) => points);
}
