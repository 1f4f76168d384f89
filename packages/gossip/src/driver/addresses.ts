// The addresses that messages between partial views carry, so that their receivers can dial the
// nodes that they name: at most 16 nodes with two addresses each, of which this node sends one.

import type { Peers } from '@trunkline/peers';
import type { RateLimit } from '@trunkline/peers/internal';
import { type PartialViewMessage, peersOf } from '../hyparview/message.ts';

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

/** Returns the number of bytes counted, in the queue to a peer, for a message with addresses. */
export function viewSize(addresses: Addresses = []): number {
  return addresses.flat().reduce((sum, text) => sum + text.length + QUOTES, VIEW_BYTES);
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

/**
 * Number of bytes that a message between views counts for, without addresses: ten node ids and
 * names.
 */
const VIEW_BYTES = 1_024;
const MOST_NODES = 16;
const MOST_ADDRESSES = 2;
/** Number of bytes that JSON adds to a string. */
const QUOTES = 3;
