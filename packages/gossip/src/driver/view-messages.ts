// Sends messages between partial views to any node of the topic, dialing nodes that are not
// connected, and exchanges the addresses of the nodes that these messages name.

import type { Peers } from '@trunkline/peers';
import type { RateLimit } from '@trunkline/peers/internal';
import { TransportError } from '@trunkline/transport-core';
import { type PartialViewMessage, peersOf } from '../hyparview/message.ts';
import type { TopicSession } from '../topics/topic-session.ts';
import type { ConnectedMembers } from './members.ts';

/** Sends a message to a node of the topic, and dials the node first if it is not connected. */
export function sendView(
  to: string,
  session: TopicSession,
  message: PartialViewMessage,
  members: ConnectedMembers,
  peers: Pick<Peers, 'addressOf'>,
): void {
  const addresses = addressesFor(message, peers);
  const request = { topic: session.key.hex, message, addresses, life: session.lifeOf(to) };
  const size = VIEW_BYTES + sizeOf(addresses);
  const failed = (error: TransportError) => {
    if (!session.isOver) session.unreachable(to, error, session.node.clock.now());
  };
  const outbox = members.outboxOf(to);
  if (outbox !== undefined) {
    if (outbox.put('view', request, size) === undefined) return;
    const text = `the queue for node ${to} is full`;
    return failed(new TransportError('resource_exhausted', text, { target: to }));
  }
  // A farewell message is not worth a dial.
  if (session.isOver) return;
  members.dials.reach(to, DIAL, 'named').then(() => {
    if (!session.isOver) members.outboxOf(to)?.put('view', request, size);
  }, failed);
}

/** Time limit of a dial for an overlay, in milliseconds. */
const DIAL = 10_000;
/**
 * Number of bytes that a message between views counts for, without addresses: ten node ids and
 * names.
 */
const VIEW_BYTES = 1_024;

// Addresses of the nodes that a message names, so that its receiver can dial them: at most 16 nodes
// with two addresses each.

/** Addresses on the wire: for each node its id, followed by its addresses. */
export type Addresses = readonly (readonly [nodeId: string, ...addresses: string[]])[];

/** Returns the known addresses of the nodes that a message names; undefined if none is known. */
export function addressesFor(
  message: PartialViewMessage,
  peers: Pick<Peers, 'addressOf'>,
): Addresses | undefined {
  const known: [string, string][] = [];
  for (const nodeId of peersOf(message).slice(0, MOST_NODES)) {
    const address = peers.addressOf(nodeId);
    if (address !== undefined) known.push([nodeId, address]);
  }
  return known.length === 0 ? undefined : known;
}

/** Returns the number of bytes counted for these addresses in the queue to a peer. */
function sizeOf(addresses: Addresses = []): number {
  return addresses.flat().reduce((sum, text) => sum + text.length + QUOTES, 0);
}

/**
 * Passes addresses that a peer sends on to the address book, which checks them.
 * @param told the addresses as the peer sent them; may be any value
 * @param by the node id of the peer
 * @param rate limits the addresses from that peer
 */
export function learnAddresses(
  told: unknown,
  by: string,
  peers: Pick<Peers, 'learn'>,
  rate: RateLimit,
  now: number,
): void {
  if (!Array.isArray(told)) return;
  for (const entry of told.slice(0, MOST_NODES)) {
    if (!Array.isArray(entry)) continue;
    const [nodeId, ...addresses] = entry.slice(0, 1 + MOST_ADDRESSES);
    for (const address of addresses) if (rate.tryTake(now)) peers.learn(nodeId, address, by);
  }
}

const MOST_NODES = 16;
const MOST_ADDRESSES = 2;
/** Number of bytes that JSON adds to a string. */
const QUOTES = 3;
