// Limits the visits to a full node. A visit is a connection that is answered once and closed. Pure.

import { DialRate } from '../dialing/dial-rate.ts';

export class Visitors {
  readonly #pause: number;
  readonly #rate = new DialRate(RATE);
  /**
   * Node id → the time at which addresses were last sent to it, oldest first. The rate limit bounds
   * the number of entries.
   */
  readonly #told = new Map<string, number>();

  /** @param pause milliseconds until a node that was answered may visit again. */
  constructor(pause: number) {
    this.#pause = pause;
  }

  /**
   * Admits a visit, unless too many visits are `open`, the node was answered recently, or the rate
   * is exceeded.
   */
  take(nodeId: string, open: number, now: number): boolean {
    this.#forget(now);
    if (open >= AT_ONCE || this.#told.has(nodeId) || this.#rate.readyAt > now) return false;
    this.#rate.take(now);
    return true;
  }

  /** Records that addresses were sent to a node. */
  told(nodeId: string, now: number): void {
    this.#told.delete(nodeId);
    this.#told.set(nodeId, now);
  }

  /** Number of nodes that are remembered. */
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

/**
 * Maximum number of visits per second, on average and at once; 200 nodes that start together are
 * served within two seconds.
 */
const RATE = 100;
/** Maximum number of open visits. */
const AT_ONCE = 64;
