// The simulation: how much faster than real time it runs, and how close it comes to a bare loop.

import { type Figure, type Figures, taskOf } from './benchmark.ts';
import { flag } from './flags.ts';
import { runBenchmark } from './run.ts';
import { bareLoop } from './simulation/bare-loop.ts';
import { type Cluster, startCluster } from './simulation/cluster.ts';
import { measureMemory } from './simulation/memory.ts';

const LEVELS = ['message', 'stream'] as const;
const BARE = { group: '', name: 'bare heap and microtask loop' };
const MIB = 1024 * 1024;
const alone = (key: string, unit: string): Figure => ({ key, unit, compared: 'never' });

await runBenchmark({
  name: 'simulation',
  summary: 'The goals are 5,000 times real time at the message level, and 500 at the stream level.',
  rounds: 5,
  window: 1_500,
  flags: {
    memory: flag(
      'measures the memory of 10,000 nodes with 50,000 links instead, under 1,024 MiB; run it with NODE_OPTIONS=--max-old-space-size=900',
    ),
  },
  async plan({ memory, window, smoke }) {
    if (memory) return planMemory(smoke ? 20 : 10_000);
    const clusters = [await startCluster('message', 1), await startCluster('stream', 1)];
    // Runs everything once unmeasured, so that the code is compiled.
    for (const cluster of clusters) await measure(cluster, window);
    const rows = LEVELS.map((level) => ({ group: '', name: `${level} level`, against: BARE }));
    return {
      rows: [BARE, ...rows],
      tasks: [
        taskOf(BARE, '', async () => ({ events: await bareLoop(window / 3) })),
        ...rows.map((row, at) => taskOf(row, '', () => measure(clusters[at]!, window))),
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

function planMemory(nodes: number) {
  const row = { group: '', name: `${nodes} nodes with ${5 * nodes} links` };
  return {
    rows: [row],
    tasks: [
      taskOf(row, '', async () => {
        const { heap, rss, links } = await measureMemory(nodes, 5);
        return { heap: heap / MIB, rss: rss / MIB, link: heap / links };
      }),
    ],
    figuresOf: () => [
      alone('heap', 'heap, MiB'),
      alone('rss', 'RSS, MiB'),
      alone('link', 'bytes of heap per link'),
    ],
  };
}

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
