// The networks of the measurement: in virtual time, where each node has its own uplink, and in real
// time over TCP on loopback, where all nodes share this process.

import { setTimeout as sleep } from 'node:timers/promises';
import { createSimulation } from '@trunkline/simulation';
import { createTransport } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import type { Figures } from '../benchmark.ts';
import { type BlobNode, type RelaySetup, silence, startNode } from './node.ts';

export interface SimulatedSetup extends RelaySetup {
  /** Bytes a second that each node can send over all its links together. */
  readonly uplink: number;
  /** Milliseconds from one node to another. */
  readonly latency: number;
  readonly seed: number;
}

/** Measures in virtual time: publishes a message of each size, one after the other. */
export async function simulated(
  { receivers, uplink, latency, seed, relay }: SimulatedSetup,
  sizes: readonly number[],
): Promise<Figures[]> {
  const sim = createSimulation({ seed, level: 'stream', link: { latency, uplink, fragment: 0 } });
  const names = Array.from({ length: receivers + 1 }, (_, i) => `n${i}`);
  const nodes: BlobNode[] = [];
  const arrivals: number[] = [];
  for (const [index, name] of names.entries())
    sim.node(name, async ({ transport: make, clock }) => {
      const transport = make(silence);
      await transport.listen();
      const arrived = () => void arrivals.push(clock.now());
      const persistent = names.slice(0, index);
      const wall = () => clock.wall();
      const node = await startNode(transport, { index, persistent, relay, wall, arrived });
      nodes[index] = node;
      return () => node.close();
    });
  await sim.until(() => areConnected(nodes, receivers), 60_000);
  const results: Figures[] = [];
  for (const size of sizes) {
    await sim.run(1_000);
    arrivals.length = 0;
    const before = nodes.map((node) => node.sent());
    const begun = sim.now;
    await sim.settle(nodes[0]!.topic.publish(new Uint8Array(size).fill(1)));
    await sim.until(() => arrivals.length === receivers, 600_000);
    // Includes receipts and reports that are still sent once the last node has the message.
    await sim.run(2_000);
    results.push(figuresOf(size, begun, arrivals, nodes, before));
  }
  await sim.close();
  return results;
}

/** Measures in real time: publishes a message of each size, one after the other. */
export async function loopback(
  { receivers, relay }: RelaySetup,
  sizes: readonly number[],
): Promise<Figures[]> {
  const nodes: BlobNode[] = [];
  const arrivals: number[] = [];
  const arrived = () => void arrivals.push(performance.now());
  const results: Figures[] = [];
  try {
    for (let index = 0; index <= receivers; index++) {
      const options = { protocol: silence, backends: [tcp()] };
      const transport = createTransport('tcp://127.0.0.1:0', options);
      await transport.listen();
      const persistent = nodes.map((node) => node.transport.localAddr());
      nodes.push(await startNode(transport, { index, persistent, relay, arrived }));
    }
    while (!areConnected(nodes, receivers)) await sleep(20);
    for (const size of sizes) {
      await sleep(200);
      arrivals.length = 0;
      const before = nodes.map((node) => node.sent());
      const begun = performance.now();
      await nodes[0]!.topic.publish(new Uint8Array(size).fill(1));
      while (arrivals.length < receivers) await sleep(1);
      await sleep(200);
      results.push(figuresOf(size, begun, arrivals, nodes, before));
    }
  } finally {
    await Promise.all(nodes.map((node) => node.close()));
  }
  return results;
}

/** Returns whether the publisher and all receivers are up, and all are neighbors of each other. */
function areConnected(nodes: readonly (BlobNode | undefined)[], receivers: number): boolean {
  return (
    nodes.length === receivers + 1 &&
    Array.from(nodes).every((node) => node?.topic.neighbors.length === receivers)
  );
}

/**
 * Returns the milliseconds until half of the receivers had the message and until the last had it,
 * and the copies sent by the publisher and by the node that sent most.
 * @param before the bytes that each node had sent before; the first is the publisher.
 */
function figuresOf(
  size: number,
  begun: number,
  arrivals: readonly number[],
  nodes: readonly BlobNode[],
  before: readonly number[],
): Figures {
  const times = arrivals.map((at) => at - begun).sort((a, b) => a - b);
  const copies = nodes.map((node, at) => (node.sent() - before[at]!) / size);
  return {
    half: times[Math.ceil(times.length / 2) - 1]!,
    last: times.at(-1)!,
    published: copies[0]!,
    most: Math.max(...copies),
  };
}
