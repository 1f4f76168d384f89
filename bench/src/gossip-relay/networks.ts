// The networks of the measurement: in virtual time, where each node has its own uplink, and in real
// time over TCP on loopback, where all nodes share this process.

import { setTimeout as sleep } from 'node:timers/promises';
import { fullMesh } from '@trunkline/gossip';
import { type RelayOptions, relay } from '@trunkline/gossip/relay';
import { createSimulation } from '@trunkline/simulation';
import { type AnyTransport, createTransport } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import type { Figures } from '../benchmark.ts';
import type { Spreader } from '../gossip-processes/kind.ts';
import { gossipOver, protocol } from '../gossip-processes/overlays.ts';

interface Place {
  /** A transport that listens. */
  readonly transport: AnyTransport;
  /** The addresses of all nodes that were started before. */
  readonly earlier: readonly string[];
  readonly wall?: () => number;
}

export interface Network {
  start(open: (place: Place) => Promise<Spreader>): unknown;
  now(): number;
  /** Lets the nodes run for some milliseconds, or until a condition holds. */
  run(milliseconds: number): Promise<unknown>;
  until(holds: () => boolean): Promise<unknown>;
  /** Milliseconds between two messages, in which nodes send receipts and reports. */
  readonly pause: number;
  close(): Promise<unknown>;
}

export interface Simulated {
  readonly seed: number;
  /** Bytes a second that each node can send over all its links together. */
  readonly uplink: number;
  /** Milliseconds from one node to another. */
  readonly latency: number;
}

export function simulated({ seed, uplink, latency }: Simulated): Network {
  const sim = createSimulation({ seed, level: 'stream', link: { latency, uplink, fragment: 0 } });
  const names: string[] = [];
  return {
    start(open) {
      const earlier = [...names];
      const name = `n${names.length}`;
      names.push(name);
      sim.node(name, async ({ transport: make, clock }) => {
        const transport = make(protocol);
        await transport.listen();
        const node = await open({ transport, earlier, wall: () => clock.wall() });
        return () => node.close();
      });
    },
    now: () => sim.now,
    run: (milliseconds) => sim.run(milliseconds),
    until: (holds) => sim.until(holds, 600_000),
    pause: 2_000,
    close: () => sim.close(),
  };
}

export function loopback(): Network {
  const nodes: Spreader[] = [];
  return {
    async start(open) {
      const transport = createTransport('tcp://127.0.0.1:0', { protocol, backends: [tcp()] });
      await transport.listen();
      nodes.push(await open({ transport, earlier: nodes.map(({ address }) => address) }));
    },
    now: () => performance.now(),
    run: (milliseconds) => sleep(milliseconds),
    async until(holds) {
      while (!holds()) await sleep(1);
    },
    pause: 200,
    close: () => Promise.all(nodes.map((node) => node.close())),
  };
}

/**
 * Publishes a message of each size, one after the other, and closes the network.
 * @param options those of relays; undefined to send directly to each node.
 */
export async function measure(
  network: Network,
  receivers: number,
  options: RelayOptions | undefined,
  sizes: readonly number[],
): Promise<Figures[]> {
  const nodes: Spreader[] = [];
  const arrivals: number[] = [];
  const results: Figures[] = [];
  try {
    for (let index = 0; index <= receivers; index++)
      await network.start(async ({ transport, earlier, wall }) => {
        const nodeId = index.toString(16).padStart(64, '0');
        const settings = {
          peers: { identity: { nodeId }, maxInbound: 1_000, maxOutbound: 0, persistent: earlier },
          gossip: { overlay: fullMesh(), relay: options && relay(options), wall },
          topic: { limit: 32 * 1024 * 1024 },
        };
        const node = await gossipOver(transport, settings, () => arrivals.push(network.now()));
        nodes[index] = node;
        return node;
      });
    await network.until(() => areConnected(nodes, receivers));
    for (const size of sizes) {
      await network.run(network.pause);
      arrivals.length = 0;
      const before = nodes.map((node) => node.traffic().bytes);
      const begun = network.now();
      const published = nodes[0]!.publish(new Uint8Array(size).fill(1));
      await network.until(() => arrivals.length === receivers);
      await network.run(network.pause);
      await published;
      const times = arrivals.map((at) => at - begun).sort((a, b) => a - b);
      const copies = nodes.map((node, at) => (node.traffic().bytes - before[at]!) / size);
      results.push({
        half: times[Math.ceil(times.length / 2) - 1]!,
        last: times.at(-1)!,
        published: copies[0]!,
        most: Math.max(...copies),
      });
    }
  } finally {
    await network.close();
  }
  return results;
}

/** Returns whether the publisher and all receivers are up, and all are neighbors of each other. */
function areConnected(nodes: readonly (Spreader | undefined)[], receivers: number): boolean {
  return (
    nodes.length === receivers + 1 && Array.from(nodes).every((node) => node?.links() === receivers)
  );
}
