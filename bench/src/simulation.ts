// The benchmark of the simulation: how much faster than real time it runs, how close it comes to a
// bare loop, and where its time goes.

import { parseArgs } from 'node:util';
import { positive } from './arguments.ts';
import { bareLoop } from './simulation/bare-loop.ts';
import { type Cluster, startCluster } from './simulation/cluster.ts';
import { measureMemory } from './simulation/memory.ts';
import { sharesOf } from './simulation/shares.ts';
import { median } from './statistics.ts';
import { round3 } from './table.ts';

const USAGE = `usage: node bench/dist/simulation.js [options]

  --rounds <n>    number of rounds of both levels and the bare loop (default: 5)
  --window <ms>   duration of a measurement in real milliseconds (default: 1500)
  --memory        measures the memory of 10,000 nodes with 50,000 links instead; run it with
                  --expose-gc --max-old-space-size=900
  --help          prints this text`;

/** The wanted ratios of virtual time to real time. */
const GOALS = { message: '5,000', stream: '500' };

try {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string' },
      window: { type: 'string' },
      memory: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) console.log(USAGE);
  else if (values.memory === true) await memory();
  else await speed(positive('rounds', values.rounds, 5), positive('window', values.window, 1_500));
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}

async function speed(rounds: number, window: number): Promise<void> {
  const clusters = {
    message: await startCluster('message', 1),
    stream: await startCluster('stream', 1),
  };
  const figures = { bare: [] as number[], message: [] as Figures[], stream: [] as Figures[] };
  // Runs everything once unmeasured, so that the code is compiled.
  for (const cluster of Object.values(clusters)) await measure(cluster, window);
  for (let round = 0; round < rounds; round++) {
    figures.bare.push(await bareLoop(window / 3));
    for (const level of ['message', 'stream'] as const)
      figures[level].push(await measure(clusters[level], window));
  }
  console.log(
    `Node ${process.versions.node}, five nodes that each send 10 messages a second, faults and trace on; medians of ${rounds} rounds of ${window} ms\n`,
  );
  console.log(`bare heap and microtask loop: ${round3(median(figures.bare))} events/s`);
  for (const level of ['message', 'stream'] as const) {
    const of = (pick: (each: Figures, at: number) => number) => median(figures[level].map(pick));
    const [times, events, calls] = [
      of((each) => each.times),
      of((each) => each.events),
      of((each) => each.calls),
    ];
    const ratio = of((each, at) => each.events / figures.bare[at]!);
    console.log(
      `\n${level} level: ${round3(times)} × real time (goal ${GOALS[level]}), ${round3(events)} events/s, ${ratio.toFixed(3)} of the bare loop, ${round3(calls)} calls/s`,
    );
    const shares = await sharesOf(() => measure(clusters[level], window));
    console.log(
      `  ${[...shares].map(([name, share]) => `${name} ${(share * 100).toFixed(0)} %`).join(' · ')}`,
    );
  }
  for (const { sim } of Object.values(clusters)) await sim.close();
}

interface Figures {
  /** The ratio of virtual time to real time. */
  readonly times: number;
  /** Events and calls a second of real time. */
  readonly events: number;
  readonly calls: number;
}

async function measure({ sim, calls }: Cluster, window: number): Promise<Figures> {
  const before = { now: sim.now, events: sim.events, calls: calls.settled };
  const begin = performance.now();
  do await sim.run(60_000);
  while (performance.now() - begin < window);
  const real = performance.now() - begin;
  const perSecond = (count: number) => (count / real) * 1_000;
  return {
    times: (sim.now - before.now) / real,
    events: perSecond(sim.events - before.events),
    calls: perSecond(calls.settled - before.calls),
  };
}

async function memory(): Promise<void> {
  const { nodes, links, heap, rss } = await measureMemory(10_000, 5);
  const mib = (size: number) => `${Math.round(size / 1024 / 1024)} MiB`;
  console.log(
    `${nodes} nodes with ${links} links: ${mib(heap)} of heap, ${mib(rss)} of memory (goal: under 1024 MiB), ${Math.round(heap / links)} bytes of heap per link`,
  );
}
