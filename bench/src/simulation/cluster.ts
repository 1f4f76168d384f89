// The workload of the simulation benchmark: five nodes that each send ten messages a second (a call
// counts as two) over lossy links.

import { createSimulation, type Simulation, type SimulationLevel } from '@trunkline/simulation';
import { bytes, defineProtocol, serve } from '@trunkline/transport-core';

const protocol = defineProtocol({
  name: 'bench',
  version: 1,
  channel: 0x20,
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});

const NODES = ['n1', 'n2', 'n3', 'n4', 'n5'];

/** A running cluster, and the calls that it has made. */
export interface Cluster {
  readonly sim: Simulation;
  readonly calls: { settled: number };
}

export async function startCluster(level: SimulationLevel, seed: number): Promise<Cluster> {
  const sim = createSimulation({
    seed,
    level,
    link: { latency: [1, 20], loss: 0.01, duplicate: 0.001, reorder: 0.01 },
  });
  const calls = { settled: 0 };
  const settle = () => {
    calls.settled++;
  };
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
