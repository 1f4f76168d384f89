// Bounds the visits that a full node takes: links that are answered once and end. Pure.

import { DialRate } from '../dialling/dial-rate.ts';

export class Visitors {
  readonly #pause: number;
  readonly #rate = new DialRate(RATE);
  /** Node id → when it was last told of others, the oldest first. The rate bounds how many there are. */
  readonly #told = new Map<string, number>();

  /** @param pause milliseconds until a node that was told of others may visit again. */
  constructor(pause: number) {
    this.#pause = pause;
  }

  /** Lets a visit in, unless `open` visits are as many as there may be, the node was told of others lately, or too many come. */
  take(nodeId: string, open: number, now: number): boolean {
    this.#forget(now);
    if (open >= AT_ONCE || this.#told.has(nodeId) || this.#rate.readyAt > now) return false;
    this.#rate.take(now);
    return true;
  }

  /** A node was told of others. */
  told(nodeId: string, now: number): void {
    this.#told.delete(nodeId);
    this.#told.set(nodeId, now);
  }

  /** How many nodes it remembers. */
  get size(): number {
    return this.#told.size;
  }

  #forget(now: number): void {
    for (const [nodeId, time] of this.#told) {
      if (now - time < this.#pause) return;
      this.#told.delete(nodeId);
    }
  }
}

/** Visits a second, on average, and at most at one moment: 200 nodes that start together are served within two seconds. */
const RATE = 100;
/** Open visits. */
const AT_ONCE = 64;
