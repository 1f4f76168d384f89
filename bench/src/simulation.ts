// The simulation: how much faster than real time it runs, and how close it comes to a bare loop.

import { alone, type Figures, taskOf } from './benchmark.ts';
import { runBenchmark } from './run.ts';
import { bareLoop } from './simulation/bare-loop.ts';
import { type Cluster, startCluster } from './simulation/cluster.ts';

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
    for (const level of levels) clusters.push(await startCluster(level, 1));
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
