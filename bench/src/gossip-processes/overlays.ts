// Gossip with the settings that users have: a transport, peers and a topic, over either overlay.

import {
  createGossip,
  fullMesh,
  type GossipOptions,
  type OverlayFactory,
  partialView,
  type TopicOptions,
} from '@trunkline/gossip';
import { createPeers, type PeersOptions } from '@trunkline/peers';
import {
  type AnyTransport,
  bytes,
  createTransport,
  defineProtocol,
} from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import type { Kind, Spreader } from './kind.ts';

/** The protocol of the transports, whose calls nobody uses. */
export const protocol = defineProtocol({
  name: 'bench',
  version: 1,
  channel: 0x20,
  methods: { idle: { id: 1, request: bytes } },
});

/**
 * All processes know the first one, learn of the others from it, and dial those that HyParView
 * picks.
 */
export const tree: Kind = {
  plan: (nodes) => Array.from({ length: nodes }, (_, at) => (at === 0 ? [] : [0])),
  isReady: (links) => links.every((count) => count >= 1),
  open: gossip(partialView(), (dials) => ({ seeds: dials })),
};

/** A small known topology: each process gets the addresses of all that started before it. */
export const mesh: Kind = {
  plan: (nodes) =>
    Array.from({ length: nodes }, (_, at) => Array.from({ length: at }, (_, before) => before)),
  isReady: (links) => links.every((count) => count === links.length - 1),
  open: gossip(fullMesh(), (dials) => ({ persistent: dials, maxOutbound: 0 })),
};

function gossip(
  overlay: OverlayFactory,
  wired: (dials: readonly string[]) => Partial<PeersOptions>,
): Kind['open'] {
  return async ({ nodes, dials }, received) => {
    const transport = createTransport('tcp://127.0.0.1:0', { protocol, backends: [tcp()] });
    await transport.listen();
    const peers = { maxInbound: nodes, ...wired(dials) };
    return gossipOver(transport, { peers, gossip: { overlay } }, received);
  };
}

interface Settings {
  readonly peers: Partial<PeersOptions>;
  readonly gossip: Pick<GossipOptions, 'overlay' | 'relay' | 'wall'>;
  readonly topic?: TopicOptions<Uint8Array>;
}

/** Starts gossip on a transport that listens; closing it closes the transport, too. */
export async function gossipOver(
  transport: AnyTransport,
  settings: Settings,
  received: (message: Uint8Array) => void,
): Promise<Spreader> {
  const peers = createPeers({ transport, ...settings.peers });
  const node = createGossip({ transport, peers, ...settings.gossip });
  const topic = node.topic('bench', bytes, settings.topic);
  topic.subscribe((message) => received(message));
  await node.start();
  await peers.start();
  return {
    address: transport.localAddr(),
    links: () => topic.neighbors.length,
    publish: (message) => topic.publish(message),
    traffic() {
      const { delivered, duplicates } = node.snapshot().topics[0]!;
      return {
        copies: delivered + duplicates,
        bytes: transport.snapshot().connections.reduce((sum, { bytes }) => sum + bytes.out, 0),
      };
    },
    async close() {
      await node.close();
      await peers.close();
      await transport.close();
    },
  };
}
