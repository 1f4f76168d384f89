import { type AnyTransport, json } from 'trunkline';
import { createGossip, fullMesh, type Gossip, partialView } from 'trunkline/gossip';
import { relay } from 'trunkline/gossip/relay';
import type { Peers } from 'trunkline/peers';
import type { Identity } from 'trunkline/security';
import { z } from 'zod';

const block = json(z.object({ height: z.int(), entries: z.array(z.string()) }));
const reading = json(z.object({ sensor: z.string(), value: z.number() }));

/** Accepts new blocks, ignores recent ones, and rejects those far behind. */
export function openBlocks(gossip: Gossip, tip: number) {
  const blocks = gossip.topic('blocks', block, {
    limit: 16 * 1024 * 1024,
    validate: ({ height }) => (height > tip ? 'accept' : height > tip - 100 ? 'ignore' : 'reject'),
  });
  return blocks;
}

/** Reports measurements to all nodes that read them, and gets none. */
export function meter(gossip: Gossip) {
  const readings = gossip.topic('readings', reading, { publishOnly: true });
  return readings;
}

/** For thousands of nodes, each of which signs its messages. */
export function signedGossip(transport: AnyTransport, peers: Peers, identity: Identity) {
  const gossip = createGossip({
    transport,
    peers,
    overlay: partialView(),
    signatures: { identity },
  });
  return gossip;
}

/** Sends long messages by way of other nodes. */
export function relayingGossip(transport: AnyTransport, peers: Peers) {
  const gossip = createGossip({
    transport,
    peers,
    overlay: fullMesh(),
    relay: relay({ above: 64 * 1024, fanout: 3 }),
  });
  return gossip;
}
