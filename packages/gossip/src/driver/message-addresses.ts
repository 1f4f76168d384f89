// Addresses of the nodes that a message names, so that its receiver can dial them: at most 16 nodes
// with two addresses each.

import type { Peers } from '@trunkline/peers';
import { RateLimit } from '@trunkline/peers/internal';
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

/** Returns the number of bytes counted for these addresses in the queue to a peer. */
export function sizeOf(addresses: Addresses = []): number {
  return addresses.reduce(
    (sum, entry) => sum + entry.reduce((length, text) => length + text.length + QUOTES, 0),
    0,
  );
}

/**
 * Passes the addresses that one peer sends on to the address book, which checks them. The rate is
 * limited.
 */
export class MessageAddresses {
  readonly #rate = new RateLimit(BURST, INTERVAL);

  /**
   * Reads addresses.
   * @param told the addresses as the peer sent them; may be any value
   * @param by the node id of the peer
   */
  heard(told: unknown, by: string, peers: Pick<Peers, 'learn'>, now: number): void {
    if (!Array.isArray(told)) return;
    for (const entry of told.slice(0, MOST_NODES)) {
      if (!Array.isArray(entry)) continue;
      const [nodeId, ...addresses] = entry.slice(0, 1 + MOST_ADDRESSES);
      for (const address of addresses)
        if (this.#rate.tryTake(now)) peers.learn(nodeId, address, by);
    }
  }
}

const MOST_NODES = 16;
const MOST_ADDRESSES = 2;
/**
 * Number of addresses accepted from one peer at once, and milliseconds until one more is accepted.
 * An honest peer sends a few dozen addresses per minute, a bootstrap node sends more.
 */
const BURST = 256;
const INTERVAL = 250;
/** Number of bytes that JSON adds to a string. */
const QUOTES = 3;
