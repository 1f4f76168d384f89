// Nodes that this node knows from elsewhere: its address book, discovery, whoever it was told to join; and who came by itself.

import type { Random } from '@trunkline/transport-core';
import { pick } from './chance.ts';

/**
 * Those that this node chose count alone as soon as they are many: an attacker is not among them by coming, however often it comes. Who chose
 * few, a bootstrap node perhaps, takes all alike.
 */
export class Contacts {
  readonly #capacity: number;
  readonly #random: Random;
  #chosen: readonly string[] = [];
  #others: readonly string[] = [];
  /** Those that count. */
  #peers: readonly string[] = [];

  constructor(capacity: number, random: Random) {
    this.#capacity = capacity;
    this.#random = random;
  }

  get size(): number {
    return this.#peers.length;
  }

  /** The newest stay. @param isChosen this node chose them; else they came by themselves, or others named them. */
  add(peers: readonly string[], isChosen: boolean): void {
    const fresh = new Set(peers.slice(0, this.#capacity));
    const left = (list: readonly string[]) => list.filter((peer) => !fresh.has(peer));
    const newest = (list: readonly string[]) => list.slice(Math.max(0, list.length - this.#capacity));
    if (isChosen) {
      this.#chosen = newest([...left(this.#chosen), ...fresh]);
      this.#others = left(this.#others);
    } else {
      this.#others = newest([...left(this.#others), ...[...fresh].filter((peer) => !this.#chosen.includes(peer))]);
    }
    this.#peers = this.#chosen.length >= MANY ? this.#chosen : newest([...this.#others, ...this.#chosen]);
  }

  /** Does it count? */
  has(peer: string): boolean {
    return this.#peers.includes(peer);
  }

  /** Is it remembered, whether it counts or not? */
  remembers(peer: string): boolean {
    return this.#chosen.includes(peer) || this.#others.includes(peer);
  }

  random(isFit: (peer: string) => boolean): string | undefined {
    return pick(this.#peers, this.#random, isFit);
  }
}

/** So many contacts are not everybody's bootstrap nodes: no crowd turns to one of them. */
export const MANY = 8;
