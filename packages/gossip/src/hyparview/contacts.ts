// Nodes that this node knows from elsewhere: its address book, discovery, whoever it was told to join.

import type { Random } from '@trunkline/transport-core';
import { pick } from './chance.ts';

export class Contacts {
  readonly #capacity: number;
  readonly #random: Random;
  #peers: string[] = [];

  constructor(capacity: number, random: Random) {
    this.#capacity = capacity;
    this.#random = random;
  }

  get size(): number {
    return this.#peers.length;
  }

  /** The newest stay. */
  add(peers: readonly string[]): void {
    const fresh = new Set(peers.slice(0, this.#capacity));
    this.#peers = [...this.#peers.filter((peer) => !fresh.has(peer)), ...fresh];
    this.#peers.splice(0, this.#peers.length - this.#capacity);
  }

  has(peer: string): boolean {
    return this.#peers.includes(peer);
  }

  random(isFit: (peer: string) => boolean): string | undefined {
    return pick(this.#peers, this.#random, isFit);
  }
}
