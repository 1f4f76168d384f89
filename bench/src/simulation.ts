// The simulation: how much faster than real time it runs, and how close it comes to a bare loop.

import { createSimulation, type SimulationLevel } from '@trunkline/simulation';
import { bytes, defineProtocol, serve } from '@trunkline/transport-core';
import { alone, type Figures, taskOf } from './benchmark.ts';
import { runBenchmark } from './run.ts';
import { bareLoop } from './simulation/bare-loop.ts';

const protocol = defineProtocol({
  name: 'bench',
  version: 1,
  channel: 0x20,
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});

const NODES = ['n1', 'n2', 'n3', 'n4', 'n5'];
const BARE = { group: '', name: 'bare heap and microtask loop' };

await runBenchmark({
  name: 'simulation',
  summary: 'The goals are 5,000 times real time at the message level, and 500 at the stream level.',
  rounds: 5,
  window: 1_500,
  flags: {},
  async plan({ window }) {
    const levels = ['message', 'stream'] as const;
    const clusters: Cluster[] = [];
    for (const level of levels) clusters.push(await startCluster(level));
    // Runs everything once unmeasured, so that the code is compiled.
    for (const cluster of clusters) await measure(cluster, window);
    return {
      tasks: [
        taskOf(BARE, async () => ({ events: await bareLoop(window / 3) })),
        ...levels.map((level, at) =>
          taskOf({ group: '', name: `${level} level`, against: BARE.name }, () =>
            measure(clusters[at]!, window),
          ),
        ),
      ],
      figuresOf: () => [
        alone('times', '× real time'),
        { key: 'events', unit: 'events/s' },
        alone('calls', 'calls/s'),
      ],
      settings: 'five nodes that each send 10 messages a second, faults and trace on',
      async close() {
        for (const { sim } of clusters) await sim.close();
      },
    };
  },
});

/** The ratio of virtual time to real time, and events and calls a second of real time. */
async function measure({ sim, calls }: Cluster, window: number): Promise<Figures> {
  const before = { now: sim.now, events: sim.events, calls: calls.settled };
  const begin = performance.now();
  do await sim.run(60_000);
  while (performance.now() - begin < window);
  const real = performance.now() - begin;
  return {
    times: (sim.now - before.now) / real,
    events: ((sim.events - before.events) / real) * 1_000,
    calls: ((calls.settled - before.calls) / real) * 1_000,
  };
}

/** A running cluster, and the calls that it has made. */
type Cluster = Awaited<ReturnType<typeof startCluster>>;

/**
 * Starts five nodes that each send ten messages a second (a call counts as two) over lossy links.
 */
async function startCluster(level: SimulationLevel) {
  const sim = createSimulation({
    seed: 1,
    level,
    link: { latency: [1, 20], loss: 0.01, duplicate: 0.001, reorder: 0.01 },
  });
  const calls = { settled: 0 };
  const settle = () => void calls.settled++;
  for (const name of NODES) {
    sim.node(name, async ({ transport, clock, random }) => {
      const t = transport(protocol, { timeout: 2_000 });
      await t.listen();
      serve(t, { echo: (request) => request });
      const payload = new Uint8Array(64);
      const tick = () => {
        t.send(NODES[Math.floor(random() * NODES.length)]!, 'echo', payload).then(settle, settle);
        clock.setTimeout(tick, 200);
      };
      tick();
    });
  }
  await sim.run(10_000);
  return { sim, calls };
}
