// Addresses go with messages that name nodes, so that whoever gets one can dial whom it names: at most 16 nodes, two addresses each.

import type { Peers } from '@trunkline/peers';
import { Allowance } from '../hyparview/allowance.ts';
import { type PartialViewMessage, peersOf } from '../hyparview/message.ts';

/** As they cross: of each node its id, and then its addresses. */
export type Addresses = readonly (readonly [nodeId: string, ...addresses: string[]])[];

/** What this node knows of those that a message names; undefined: nothing. */
export function addressesFor(message: PartialViewMessage, peers: Pick<Peers, 'addressOf'>): Addresses | undefined {
  const known: [string, string][] = [];
  for (const nodeId of peersOf(message).slice(0, MOST_NODES)) {
    const address = peers.addressOf(nodeId);
    if (address !== undefined) known.push([nodeId, address]);
  }
  return known.length === 0 ? undefined : known;
}

/** Bytes that they are reckoned at. */
export function sizeOf(addresses: Addresses = []): number {
  return addresses.reduce((sum, entry) => sum + entry.reduce((length, text) => length + text.length + QUOTES, 0), 0);
}

/** What one peer tells: so much of it is passed on to the address book, which sees to the rest. */
export class Hearsay {
  readonly #allowance: Allowance;

  constructor(now: number) {
    this.#allowance = new Allowance(BURST, INTERVAL, now);
  }

  /** @param told whatever it sent as addresses. @param by its node id. */
  heard(told: unknown, by: string, peers: Pick<Peers, 'learn'>, now: number): void {
    if (!Array.isArray(told)) return;
    for (const entry of told.slice(0, MOST_NODES)) {
      if (!Array.isArray(entry)) continue;
      const [nodeId, ...addresses] = entry.slice(0, 1 + MOST_ADDRESSES);
      for (const address of addresses) if (this.#allowance.take(now)) peers.learn(nodeId, address, by);
    }
  }
}

const MOST_NODES = 16;
const MOST_ADDRESSES = 2;
/** Addresses that are taken from one peer at once, and milliseconds to one more: an honest one brings some dozens in a minute, a bootstrap node more. */
const BURST = 256;
const INTERVAL = 250;
/** What JSON adds to a text. */
const QUOTES = 3;
