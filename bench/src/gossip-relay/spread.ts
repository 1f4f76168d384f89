// One measurement: nodes on one topic, in virtual time, of which one publishes a message; when the last of the others has it, and who sent how much.

import { setImmediate } from 'node:timers/promises';
import { createGossip, fullMesh, type RelayOptions, type Topic } from '@trunkline/gossip';
import { createPeers } from '@trunkline/peers';
import { type AnyTransport, bytes, defineProtocol } from '@trunkline/transport-core';
import { createSimulation } from '@trunkline/transport-inmem/simulation';

/** What the nodes' own users speak: nothing, here. */
const silence = defineProtocol({ name: 'silence', version: 1, channel: 0x20, methods: {} });

export interface Scene {
  /** Besides the publisher. */
  readonly receivers: number;
  /** Bytes a second that each node sends over all its links together. */
  readonly uplink: number;
  /** Milliseconds from one node to another. */
  readonly latency: number;
  readonly seed: number;
  /** Undefined: directly to each. */
  readonly relay: RelayOptions | undefined;
}

export interface Spread {
  /** Bytes of the message. */
  readonly size: number;
  /** Virtual milliseconds until half of the others had it, and until the last had. */
  readonly half: number;
  readonly last: number;
  /** Bytes that the publisher sent, and that whichever sent most did. */
  readonly published: number;
  readonly most: number;
}

/** Publishes a message of each size, one after the other. */
export async function spread({ receivers, uplink, latency, seed, relay }: Scene, sizes: readonly number[]): Promise<Spread[]> {
  const sim = createSimulation({ seed, level: 'stream', link: { latency, uplink, fragment: 0 } });
  const names = Array.from({ length: receivers + 1 }, (_, i) => `n${i}`);
  const transports: AnyTransport[] = [];
  const topics: Topic<Uint8Array, Uint8Array>[] = [];
  const arrivals: number[] = [];
  for (const [i, name] of names.entries())
    sim.node(name, async ({ transport: make, clock }) => {
      const transport = make(silence);
      await transport.listen();
      const nodeId = i.toString(16).padStart(64, '0');
      const peers = createPeers({ transport, identity: { nodeId }, maxInbound: 1_000, maxOutbound: 0, persistent: names.slice(0, i) });
      const gossip = createGossip({ transport, peers, overlay: fullMesh(), relay, wall: () => clock.wall() });
      const topic = gossip.topic('blobs', bytes, { limit: 32 * 1024 * 1024 });
      topic.subscribe(() => void arrivals.push(clock.now()));
      await gossip.start();
      await peers.start();
      transports[i] = transport;
      topics[i] = topic;
      return async () => {
        await gossip.close();
        await peers.close();
        await transport.close();
      };
    });
  const haveMet = () =>
    topics.length === names.length && Object.keys(topics).length === names.length && topics.every(({ neighbors }) => neighbors.length === receivers);
  await sim.until(haveMet, 60_000);
  const sent = () => transports.map((transport) => transport.snapshot().connections.reduce((sum, connection) => sum + connection.bytes.out, 0));
  const results: Spread[] = [];
  for (const size of sizes) {
    await sim.run(1_000);
    arrivals.length = 0;
    const before = sent();
    const begun = sim.now;
    await sim.settle(topics[0]!.publish(new Uint8Array(size).fill(1)));
    await sim.until(() => arrivals.length === receivers, 600_000);
    const times = arrivals.map((at) => at - begun).sort((a, b) => a - b);
    // What still goes after the last has it: receipts and reports.
    await sim.run(2_000);
    const bytesOut = sent().map((now, i) => now - before[i]!);
    results.push({ size, half: times[Math.ceil(receivers / 2) - 1]!, last: times.at(-1)!, published: bytesOut[0]!, most: Math.max(...bytesOut) });
    await setImmediate();
  }
  await sim.close();
  return results;
}
