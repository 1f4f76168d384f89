// One node of the measurement, over any transport; the setup of all nodes, and the result.

import { createGossip, fullMesh, type Topic } from '@trunkline/gossip';
import { type RelayOptions, relay } from '@trunkline/gossip/relay';
import { createPeers } from '@trunkline/peers';
import { type AnyTransport, bytes, defineProtocol } from '@trunkline/transport-core';

/** The protocol of the nodes' users, which do not call anything here. */
export const silence = defineProtocol({ name: 'silence', version: 1, channel: 0x20, methods: {} });

export interface BlobNode {
  readonly transport: AnyTransport;
  readonly topic: Topic<Uint8Array, Uint8Array>;
  /** Returns the bytes sent over its current connections. */
  sent(): number;
  close(): Promise<void>;
}

export interface NodeOptions {
  /** The number that the node id is made from. */
  readonly index: number;
  /** The addresses to stay connected to. */
  readonly persistent: readonly string[];
  /** The relay options; undefined to send directly to each node. */
  readonly relay: RelayOptions | undefined;
  readonly wall?: (() => number) | undefined;
  arrived(): void;
}

/** Starts a node on a transport that already listens. */
export async function startNode(
  transport: AnyTransport,
  { index, persistent, relay: options, wall, arrived }: NodeOptions,
): Promise<BlobNode> {
  const nodeId = index.toString(16).padStart(64, '0');
  const peers = createPeers({
    transport,
    identity: { nodeId },
    maxInbound: 1_000,
    maxOutbound: 0,
    persistent,
  });
  const gossip = createGossip({
    transport,
    peers,
    overlay: fullMesh(),
    relay: options && relay(options),
    wall,
  });
  const topic = gossip.topic('blobs', bytes, { limit: 32 * 1024 * 1024 });
  topic.subscribe(arrived);
  await gossip.start();
  await peers.start();
  return {
    transport,
    topic,
    sent: () =>
      transport.snapshot().connections.reduce((sum, connection) => sum + connection.bytes.out, 0),
    close: async () => {
      await gossip.close();
      await peers.close();
      await transport.close();
    },
  };
}

export interface RelaySetup {
  /** The number of nodes besides the publisher. */
  readonly receivers: number;
  /** The relay options; undefined to send directly to each node. */
  readonly relay: RelayOptions | undefined;
}
