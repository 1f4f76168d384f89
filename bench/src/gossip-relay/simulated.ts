// Measures in virtual time, where each node has its own uplink.

import { createSimulation } from '@trunkline/simulation';
import {
  areConnected,
  type BlobNode,
  type RelaySetup,
  type Spread,
  silence,
  spreadOf,
  startNode,
} from './node.ts';

export interface SimulatedScene extends RelaySetup {
  /** Bytes a second that each node can send over all its links together. */
  readonly uplink: number;
  /** Milliseconds from one node to another. */
  readonly latency: number;
  readonly seed: number;
}

/** Publishes a message of each size, one after the other. */
export async function simulated(
  { receivers, uplink, latency, seed, relay }: SimulatedScene,
  sizes: readonly number[],
): Promise<Spread[]> {
  const sim = createSimulation({ seed, level: 'stream', link: { latency, uplink, fragment: 0 } });
  const names = Array.from({ length: receivers + 1 }, (_, i) => `n${i}`);
  const nodes: BlobNode[] = [];
  const arrivals: number[] = [];
  for (const [index, name] of names.entries())
    sim.node(name, async ({ transport: make, clock }) => {
      const transport = make(silence);
      await transport.listen();
      const arrived = () => void arrivals.push(clock.now());
      const node = await startNode(transport, {
        index,
        persistent: names.slice(0, index),
        relay,
        wall: () => clock.wall(),
        arrived,
      });
      nodes[index] = node;
      return () => node.close();
    });
  await sim.until(() => areConnected(nodes, receivers), 60_000);
  const results: Spread[] = [];
  for (const size of sizes) {
    await sim.run(1_000);
    arrivals.length = 0;
    const before = nodes.map((node) => node.sent());
    const begun = sim.now;
    await sim.settle(nodes[0]!.topic.publish(new Uint8Array(size).fill(1)));
    await sim.until(() => arrivals.length === receivers, 600_000);
    // Includes receipts and reports that are still sent once the last node has the message.
    await sim.run(2_000);
    const sent = nodes.map((node, i) => node.sent() - before[i]!);
    results.push(
      spreadOf(
        size,
        arrivals.map((at) => at - begun),
        sent,
      ),
    );
  }
  await sim.close();
  return results;
}
