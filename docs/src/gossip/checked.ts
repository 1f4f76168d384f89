import { createGossip, type Gossip, partialView } from '@trunkline/gossip';
import type { Identity } from '@trunkline/identity';
import type { Peers } from '@trunkline/peers';
import { type AnyTransport, json } from '@trunkline/transport-core';
import { z } from 'zod';

const block = json(z.object({ height: z.int(), entries: z.array(z.string()) }));

/** Blocks that are neither known nor far behind. */
export function openBlocks(gossip: Gossip, tip: number) {
  const blocks = gossip.topic('blocks', block, {
    limit: 16 * 1024 * 1024,
    validate: ({ height }) => (height > tip ? 'accept' : height > tip - 100 ? 'ignore' : 'reject'),
  });
  return blocks;
}

/** Thousands of nodes, each of which signs what it says. */
export function signedGossip(transport: AnyTransport, peers: Peers, identity: Identity) {
  const gossip = createGossip({ transport, peers, overlay: partialView(), signatures: { identity, mode: 'strict' } });
  return gossip;
}
