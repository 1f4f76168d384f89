// The peers remembered to replace lost links.

import type { Random } from '@trunkline/transport-core';
import { pick, sample } from './chance.ts';

export class PassiveView {
  readonly #capacity: number;
  readonly #random: Random;
  readonly #peers: string[] = [];

  constructor(capacity: number, random: Random) {
    this.#capacity = capacity;
    this.#random = random;
  }

  get size(): number {
    return this.#peers.length;
  }

  peers(): string[] {
    return this.#peers.slice();
  }

  has(peer: string): boolean {
    return this.#peers.includes(peer);
  }

  /**
   * Adds a peer. If the view is full, the new peer replaces one of `known` (the peers sent to the
   * other end of a shuffle, as in the paper) or a random one.
   */
  add(peer: string, known: readonly string[]): void {
    if (this.has(peer)) return;
    if (this.#peers.length < this.#capacity) {
      this.#peers.push(peer);
      return;
    }
    let index = -1;
    for (let i = 0; index < 0 && i < known.length; i++) index = this.#peers.indexOf(known[i]!);
    if (index < 0) index = Math.floor(this.#random() * this.#peers.length);
    this.#peers[index] = peer;
  }

  get isFull(): boolean {
    return this.#peers.length >= this.#capacity;
  }

  remove(peer: string): void {
    const index = this.#peers.indexOf(peer);
    if (index < 0) return;
    const last = this.#peers.pop()!;
    if (index < this.#peers.length) this.#peers[index] = last;
  }

  sample(count: number): string[] {
    return sample(this.#peers, count, this.#random);
  }

  random(isFit: (peer: string) => boolean): string | undefined {
    return pick(this.#peers, this.#random, isFit);
  }
}
