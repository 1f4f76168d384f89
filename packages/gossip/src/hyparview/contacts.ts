// Nodes known from outside the overlay: from the address book, from discovery and from `join`, and
// nodes that connected by themselves.

import type { Random } from '@trunkline/transport-core';
import { pick } from './chance.ts';

/**
 * Once this node has chosen many contacts, only the chosen contacts are used, so an attacker can't
 * become a contact by connecting, no matter how often. A node that chose few, such as a bootstrap
 * node, uses all contacts alike.
 */
export class Contacts {
  readonly #capacity: number;
  readonly #random: Random;
  #chosen: readonly string[] = [];
  #others: readonly string[] = [];
  /** The contacts in use. */
  #peers: readonly string[] = [];

  constructor(capacity: number, random: Random) {
    this.#capacity = capacity;
    this.#random = random;
  }

  get size(): number {
    return this.#peers.length;
  }

  /**
   * Adds contacts; the newest ones are kept.
   * @param isChosen true if this node chose them, false if they connected by themselves or others
   * named them
   */
  add(peers: readonly string[], isChosen: boolean): void {
    const fresh = new Set(peers.slice(0, this.#capacity));
    const left = (list: readonly string[]) => list.filter((peer) => !fresh.has(peer));
    const newest = (list: readonly string[]) =>
      list.slice(Math.max(0, list.length - this.#capacity));
    if (isChosen) {
      this.#chosen = newest([...left(this.#chosen), ...fresh]);
      this.#others = left(this.#others);
    } else {
      this.#others = newest([
        ...left(this.#others),
        ...[...fresh].filter((peer) => !this.#chosen.includes(peer)),
      ]);
    }
    this.#peers =
      this.#chosen.length >= MANY ? this.#chosen : newest([...this.#others, ...this.#chosen]);
  }

  /** Returns true if the peer is a contact in use. */
  has(peer: string): boolean {
    return this.#peers.includes(peer);
  }

  /** Returns true if the peer is a remembered contact, whether or not it is in use. */
  remembers(peer: string): boolean {
    return this.#chosen.includes(peer) || this.#others.includes(peer);
  }

  random(isFit: (peer: string) => boolean): string | undefined {
    return pick(this.#peers, this.#random, isFit);
  }
}

/**
 * Number of contacts that is large enough to spread requests. With only a few contacts, such as
 * bootstrap nodes, many nodes would send their requests to the same contact.
 */
export const MANY = 8;
