// Calls over each carrier, beside hand-written framing over the same sockets.

import { spawnSync } from 'node:child_process';
import { ADAPTER_NAMES, install, isUsable, PEER_NAMES } from './adapters/table.ts';
import { listed } from './arguments.ts';
import { quotient, ratioBar } from './bars.ts';
import type { Bar, Figure, Figures, Row } from './benchmark.ts';
import { taskOf } from './benchmark.ts';
import * as columns from './columns.ts';
import { type Column, columnsOf } from './columns.ts';
import { IDLE_NAMES, measureIdle } from './connections/idle.ts';
import { FAN_OUT, FAN_OUT_NAMES } from './fan-out/fan-out.ts';
import { flag, text } from './flags.ts';
import { named } from './named.ts';
import { measurePair, type Setting } from './pair.ts';
import { runBenchmark } from './run.ts';
import { CALLS } from './scenarios.ts';
import { figureOf } from './summary.ts';

interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly figures: readonly Figure[];
  suits(adapter: string): boolean;
  measure(adapter: string, setting: Setting & { smoke: boolean }): Promise<Figures>;
}

const SCENARIOS: readonly Scenario[] = [
  ...CALLS.map((call) => ({
    ...call,
    suits: (adapter: string) => ADAPTER_NAMES.includes(adapter) || PEER_NAMES.includes(adapter),
    measure: (adapter: string, setting: Setting) => measurePair(adapter, call.name, setting),
  })),
  {
    ...FAN_OUT,
    suits: (adapter) => FAN_OUT_NAMES.includes(adapter),
    measure: (adapter, setting) => measurePair(`fan-out over ${adapter}`, FAN_OUT.name, setting),
  },
  {
    name: 's8',
    title: '2,000 idle connections, memory of the server for each after GC',
    figures: [
      { key: 'rss', unit: 'RSS KiB' },
      { key: 'heap', unit: 'heap KiB' },
    ],
    suits: (adapter) => IDLE_NAMES.includes(adapter),
    measure: measureIdle,
  },
];

/**
 * Returns the Nodes to measure a column on, one right after the other, so that the machine is in
 * the same state. The repeated limit and other libraries run on the first Node only.
 */
function placesOf<P>({ title, adapter }: Column, places: readonly P[]): readonly P[] {
  return title !== adapter || PEER_NAMES.includes(adapter) ? places.slice(0, 1) : places;
}

function versionOf(node: string): string {
  const { status, stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  if (status !== 0)
    throw new TypeError(`--beside: '${node}' does not run: give the path of a Node executable`);
  return stdout.trim();
}

type Bounds = Parameters<typeof ratioBar>[3];

/** A bar on the figure of one column divided by that of another. */
function bar(group: string, figure: string, above: Column, below: Column, bounds: Bounds): Bar {
  const [a, b] = [above, below].map(({ title }) => ({ group, name: title }));
  return ratioBar(figure, a!, b!, bounds, figure === 'bulk' ? 'MB/s' : figure);
}

/**
 * A bar on the cost of carrying a codec's messages beyond carrying bytes and running the codec
 * itself: CPU of both processes.
 */
function codec({ title }: Column): Bar {
  const most = 1.15;
  const tcp = { group: 's2', name: columns.TCP.title };
  return {
    bar: `s2 CPU: ${title} ÷ (${tcp.name} + its codec in process) at most ${most}`,
    value: (round) => {
      const cpu = (name: string) => {
        const [client, server] = ['clientCpu', 'serverCpu'].map((key) =>
          figureOf(round, { group: 's2', name }, key),
        );
        return client === undefined || server === undefined ? undefined : client + server;
      };
      const own = figureOf(round, { group: 's2', name: title }, 'codec');
      const bytes = cpu(tcp.name);
      return quotient(
        cpu(title),
        own === undefined || bytes === undefined ? undefined : own + bytes,
      );
    },
    most,
  };
}

const { CONSUMER, CREDIT, EARLY, FIXED, INMEM, INMEM_STREAMS, LIMIT, LIMIT_INPROC } = columns;
const { LIMIT_WS, PROTOBUF, TCP, WS } = columns;
/** The most RSS that an idle connection may take, in KiB. */
const MOST_MEMORY = 16;

const BARS: readonly Bar[] = [
  bar('s1', 'p50', TCP, LIMIT, { most: 1.1 }),
  bar('s2', 'rate', TCP, LIMIT, { least: 1.2 }),
  bar('s2', 'rate', TCP, EARLY, { least: 0.7 }),
  bar('s2', 'rate', CONSUMER, LIMIT, { least: 1 }),
  codec(PROTOBUF),
  bar('s2', 'rate', WS, LIMIT_WS, { least: 1.4 }),
  bar('s2', 'rate', INMEM, LIMIT_INPROC, { least: 0.4 }),
  bar('s2', 'rate', INMEM_STREAMS, LIMIT_INPROC, { least: 0.3 }),
  bar('s3', 'rate', TCP, LIMIT, { least: 0.9 }),
  bar('s3', 'rate', WS, LIMIT_WS, { least: 1.4 }),
  bar('s4', 'bulk', TCP, CREDIT, { least: 1 }),
  bar('s5', 'bulk', FIXED, CREDIT, { least: 0.9 }),
  bar('s5', 'bulk', TCP, CREDIT, { least: 1.3 }),
  bar('s5', 'bulk', WS, LIMIT_WS, { least: 0.75 }),
  bar('s6', 'p50', TCP, LIMIT, { most: 0.06 }),
  {
    ...bar('s6', 'p99', TCP, LIMIT, { most: 0.15 }),
    // The tail of `limit-net` itself has changed with Node.
    newer: bar('s6', 'p99', TCP, CREDIT, { most: 1.3 }),
  },
  bar('s6', 'bulk', TCP, CREDIT, { least: 0.7 }),
  bar('s6', 'p50', WS, LIMIT_WS, { most: 0.06 }),
  bar('s7', 'rate', TCP, LIMIT, { least: 0.3 }),
  {
    bar: `s8 RSS: ${TCP.title} at most ${MOST_MEMORY} KiB per connection`,
    value: (round) => figureOf(round, { group: 's8', name: TCP.title }, 'rss'),
    most: MOST_MEMORY,
  },
];

await runBenchmark({
  name: 'calls',
  summary: 'Exit code 1 if a bar is missed.',
  rounds: 5,
  window: 1_500,
  isPublished: true,
  flags: {
    scenario: text(
      '<names>',
      `measures only these scenarios, comma-separated, or a prefix of their names: ${SCENARIOS.map(({ name }) => name).join(', ')}`,
    ),
    adapter: text(
      '<names>',
      `measures only these adapters, comma-separated, or a prefix of their names, in every scenario that they support, and the adapters that they are compared with. By default each scenario measures the adapters that it is about, except the secure ones. The adapters are ${ADAPTER_NAMES.join(', ')}`,
    ),
    beside: text(
      '<path>',
      'also measures this Node in the same rounds, and prints what is worse on it',
    ),
    peers: flag(
      `also measures other libraries, and installs them into bench/peers if they are missing: ${PEER_NAMES.join(', ')}`,
    ),
  },
  plan({ scenario, adapter, beside, peers, smoke, window }) {
    const places: { readonly suffix: string; readonly path: string | undefined }[] = [
      { suffix: '', path: undefined },
    ];
    if (beside !== undefined) places.push({ suffix: ` on ${versionOf(beside)}`, path: beside });
    const scenarios = named(
      'scenario',
      'scenario',
      SCENARIOS,
      ({ name }) => name,
      listed(scenario),
    );
    const libraries = peers ? PEER_NAMES.filter(isUsable) : [];
    const measured = scenarios.flatMap((each) =>
      columnsOf(each, listed(adapter), libraries)
        .filter(({ title, adapter: own }) => !smoke || title === own)
        .flatMap((column) =>
          placesOf(column, places).map((place) => ({ scenario: each, column, place })),
        ),
    );
    if (peers) install();
    const rows = measured.map(({ scenario: { name }, column, place }): Row => {
      const other = column.against?.(name);
      const group = name + place.suffix;
      return { group, name: column.title, against: other && { group, name: other.title } };
    });
    const scenarioOf = (group: string) =>
      SCENARIOS.find(({ name }) => name === group.split(' ')[0])!;
    return {
      rows,
      tasks: measured.map(({ scenario: { name, measure }, column, place: { path } }, at) =>
        taskOf(rows[at]!, name, () =>
          measure(column.adapter, { warmUp: window, window, node: path, smoke }),
        ),
      ),
      titleOf: (group) => `${group}: ${scenarioOf(group).title}`,
      figuresOf: (group) => scenarioOf(group).figures,
      bars: BARS,
      atOnce: smoke ? 3 : 1,
      beside: places[1] && { suffix: places[1].suffix, node: versionOf(beside!) },
    };
  },
});
