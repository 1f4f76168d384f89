// Measures the memory of a large simulated network, in which each node holds live connections to
// others.

import { createSimulation } from '@trunkline/simulation';
import { serve } from '@trunkline/transport-core';
import { protocol } from './cluster.ts';

/** The number of links, and the bytes of heap and of resident memory. */
export type MemoryReport = Readonly<Record<'links' | 'heap' | 'rss', number>>;

/** Connects every node to `degree` others at random and makes one call over each connection. */
export async function measureMemory(nodes: number, degree: number): Promise<MemoryReport> {
  const sim = createSimulation({ seed: 1, link: { latency: [1, 20] } });
  let links = 0;
  for (let i = 0; i < nodes; i++) {
    sim.node(`n${i}`, async ({ transport, clock, random }) => {
      const t = transport(protocol, { idleTimeout: Number.POSITIVE_INFINITY });
      await t.listen();
      serve(t, { echo: (request) => request });
      await clock.sleep(10);
      const others = new Set<number>();
      while (others.size < Math.min(degree, nodes - 1)) {
        const other = Math.floor(random() * nodes);
        if (other !== i) others.add(other);
      }
      for (const other of others) {
        await t.send(`n${other}`, 'echo', new Uint8Array(16));
        links++;
      }
    });
  }
  await sim.run(9_000);
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed: heap, rss } = process.memoryUsage();
  return { links, heap, rss };
}
