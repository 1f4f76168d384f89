// Calls over each carrier, beside hand-written framing over the same sockets.

import { unable } from '@trunkline/local-nats';
import { ADAPTER_NAMES, againstOf, columnsOf, install, PEER_NAMES } from './adapters/table.ts';
import { listed } from './arguments.ts';
import { type Bounds, ratioBar } from './bars.ts';
import { type Bar, type Figure, type Figures, taskOf } from './benchmark.ts';
import { FAN_OUT, FAN_OUT_NAMES } from './fan-out/fan-out.ts';
import { flag, names, text } from './flags.ts';
import { measurePair, withPair } from './pair.ts';
import { runBenchmark } from './run.ts';
import { CALLS } from './scenarios.ts';
import { figureOf } from './summary.ts';

interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly figures: readonly Figure[];
  suits(adapter: string): boolean;
  measure(adapter: string, window: number, smoke: boolean): Promise<Figures>;
}

const SCENARIOS: readonly Scenario[] = [
  ...CALLS.map((call) => ({
    ...call,
    suits: () => true,
    measure: (adapter: string, window: number) =>
      measurePair(adapter, { scenario: call.name, warmUp: window, window }),
  })),
  {
    ...FAN_OUT,
    suits: (adapter) => FAN_OUT_NAMES.includes(adapter),
    measure: (adapter, window) =>
      measurePair(`fan-out over ${adapter}`, { scenario: FAN_OUT.name, warmUp: window, window }),
  },
  {
    name: 's8',
    title: "2,000 idle connections: the server's memory per connection, after GC",
    figures: [
      { key: 'rss', unit: 'RSS KiB' },
      { key: 'heap', unit: 'heap KiB' },
    ],
    suits: (adapter) => !/inproc|inmem/.test(adapter),
    measure: (adapter, _window, smoke) => measureIdle(adapter, smoke ? 40 : 2_000),
  },
];

/** Returns the server's memory per idle connection, for `count` of them that each made a call. */
function measureIdle(adapter: string, count: number): Promise<Figures> {
  return withPair(adapter, {}, async ({ open, memory }) => {
    // Opens half as many connections first, so that memory allocated once is not counted per
    // connection, and because V8 goes on compiling for that long.
    await open(count / 2);
    const before = await memory();
    await open(count);
    const after = await memory();
    const each = (of: 'rss' | 'heap') => (after[of] - before[of]) / count / 1024;
    return { rss: each('rss'), heap: each('heap') };
  });
}

/** A bar on the figure of one column divided by that of another. */
function bar(group: string, key: string, name: string, against: string, bounds: Bounds): Bar {
  const unit = { bulk: 'MB/s', cpu: 'CPU' }[key];
  return ratioBar(key, { group, name, against }, bounds, unit ?? key);
}

const [TCP, PROTOBUF] = ['trunkline-tcp', 'trunkline-tcp-protobuf'] as const;
/** The most CPU that a codec's messages may take, as a multiple of that of bytes and the codec. */
const MOST_CPU = 1.15;
/** The most RSS that an idle connection may take, in KiB. */
const MOST_MEMORY = 16;

const BARS: readonly Bar[] = [
  // The rate of `limit-net` itself differs by a factor of two or more between machines.
  bar('s2', 'cpu', TCP, 'limit-net-early', { most: 1.25 }),
  bar('s2', 'cpu', 'trunkline-tcp-consumer', 'limit-net-early', { most: 1.75 }),
  bar('s2', 'rate', TCP, 'limit-net-early', { least: 0.7 }),
  bar('s1', 'p50', TCP, 'limit-net', { most: 1.1 }),
  {
    bar: `s2 CPU: ${PROTOBUF} ÷ (${TCP} + its codec in process) at most ${MOST_CPU}`,
    value(round) {
      const of = (name: string, key: string) => figureOf(round, { group: 's2', name }, key);
      return of(PROTOBUF, 'cpu') / (of(TCP, 'cpu') + of(PROTOBUF, 'codec'));
    },
    most: MOST_CPU,
  },
  bar('s2', 'rate', 'trunkline-ws', 'limit-ws', { least: 1.4 }),
  bar('s2', 'rate', 'trunkline-inmem', 'limit-inproc', { least: 0.4 }),
  bar('s2', 'rate', 'trunkline-inmem-streams', 'limit-inproc', { least: 0.3 }),
  bar('s3', 'rate', TCP, 'limit-net', { least: 0.9 }),
  bar('s3', 'rate', 'trunkline-ws', 'limit-ws', { least: 1.4 }),
  bar('s4', 'bulk', TCP, 'limit-net-credit', { least: 1 }),
  bar('s5', 'bulk', 'trunkline-tcp-fixed', 'limit-net-credit', { least: 0.9 }),
  bar('s5', 'bulk', TCP, 'limit-net-credit', { least: 1.3 }),
  bar('s5', 'bulk', 'trunkline-ws', 'limit-ws', { least: 0.75 }),
  bar('s6', 'p50', TCP, 'limit-net', { most: 0.06 }),
  bar('s6', 'p99', TCP, 'limit-net', { most: 0.15 }),
  bar('s6', 'bulk', TCP, 'limit-net-credit', { least: 0.7 }),
  bar('s6', 'p50', 'trunkline-ws', 'limit-ws', { most: 0.06 }),
  bar('s7', 'rate', TCP, 'limit-net', { least: 0.3 }),
  {
    bar: `s8 RSS: ${TCP} at most ${MOST_MEMORY} KiB per connection`,
    value: (round) => figureOf(round, { group: 's8', name: TCP }, 'rss'),
    most: MOST_MEMORY,
  },
];

await runBenchmark({
  name: 'calls',
  rounds: 5,
  window: 1_500,
  flags: {
    scenario: names(
      'measures only these scenarios',
      SCENARIOS.map(({ name }) => name),
    ),
    adapter: text(
      '<names>',
      `measures only these adapters, comma-separated, or a prefix of their names, in every scenario that they support, and the adapters that they are compared with. By default each scenario measures the adapters that it is about, except the secure ones. The adapters are ${ADAPTER_NAMES.join(', ')}`,
    ),
    peers: flag(
      `also measures other libraries, and installs them into bench/peers if they are missing: ${PEER_NAMES.join(', ')}`,
    ),
  },
  plan({ scenario, adapter, peers, smoke, window }) {
    const isUsable = (name: string) => name !== 'nats' || unable() === undefined;
    const libraries = peers ? PEER_NAMES.filter(isUsable) : [];
    const tasks = SCENARIOS.filter(({ name }) => scenario.includes(name)).flatMap((each) =>
      columnsOf(each, listed(adapter), libraries)
        .filter(({ title, adapter: own }) => !smoke || title === own)
        .map((column) =>
          taskOf(
            { group: each.name, name: column.title, against: againstOf(column, each.name) },
            () => each.measure(column.adapter, window, smoke),
          ),
        ),
    );
    if (peers) install();
    const scenarioOf = (group: string) => SCENARIOS.find(({ name }) => name === group)!;
    return {
      tasks,
      titleOf: (group) => `${group}: ${scenarioOf(group).title}`,
      figuresOf: (group) => scenarioOf(group).figures,
      bars: BARS,
    };
  },
});
