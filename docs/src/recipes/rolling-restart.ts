import { createTransport, defineProtocol, drain, inmem, json, serve } from 'trunkline';
import { createGossip, fullMesh } from 'trunkline/gossip';
import { createPeers } from 'trunkline/peers';
import { createIdentity, type Identity } from 'trunkline/security';
import { z } from 'zod';

const orders = defineProtocol({
  name: 'orders',
  version: 1,
  channel: 0x20,
  methods: { place: { id: 1, request: json(z.string()), response: json(z.string()) } },
});
export const backends = [inmem()];

/** @param seeds at least two other nodes, because one of them may be away. */
export async function startNode(name: string, identity: Identity, seeds: string[]) {
  const transport = createTransport(`inmem://${name}`, { protocol: orders, backends });
  const peers = createPeers({ transport, identity, seeds });
  const gossip = createGossip({ transport, peers, overlay: fullMesh() });
  const news = gossip.topic('news', json(z.string()));
  serve(transport, {
    place: async (order) => {
      await transport.clock.sleep(5); // works for a while
      await news.publish(order); // still possible while the node drains
      return `${order}, placed at ${name}`;
    },
  });
  await transport.listen();
  await gossip.start();
  await peers.start();
  return {
    transport,
    peers,
    news,
    async stop() {
      await drain(transport, { grace: 20_000 }); // callers turn to other nodes
      await gossip.close(); // tells its neighbors, so that they replace it
      await peers.close();
      await transport.close({ grace: 1_000 });
    },
  };
}

/** Replaces nodes one by one. The next one waits until the last one has found its peers again. */
export async function restartAll(names: readonly string[]): Promise<void> {
  for (const name of names) {
    await nodes.get(name)!.stop();
    nodes.set(name, await startNode(name, identityOf(name), seedsOf(name)));
    const { peers, transport } = nodes.get(name)!;
    while (peers.snapshot().peers.length < names.length - 1) await transport.clock.sleep(10);
  }
}

export const nodes = new Map<string, Awaited<ReturnType<typeof startNode>>>();
const identities = new Map<string, Identity>();

/** The identity outlives the process: see `loadOrCreateIdentity`. */
export function identityOf(name: string): Identity {
  if (!identities.has(name)) identities.set(name, createIdentity());
  return identities.get(name)!;
}

export function seedsOf(name: string): string[] {
  return ['a', 'b', 'c'].filter((seed) => seed !== name).map((seed) => `inmem://${seed}`);
}
