// The credit that one end of a connection grants to the other. It begins small and follows the
// rate at which the reader takes bytes, so that thousands of quiet connections cost little.

import type { Clock } from '@trunkline/transport-core';
import { type CreditPool, LEAST_CREDIT } from './credit-pool.ts';
import { costOf } from './message.ts';

/** Tracks the credit that the peer may spend. */
export class ReceiveWindow {
  readonly #pool: CreditPool;
  readonly #clock: Clock;
  /**
   * The size of the window in units: units that the peer holds, that wait for the reader, or that
   * were not granted again.
   */
  #size: number;
  /** The number of units that the peer may still spend. */
  #open: number;
  /**
   * The number of units that the reader has taken since the last grant, and the time of that grant.
   */
  #taken = 0;
  #since: number;

  /** @param credit the units that the peer got from the pool when the connection began. */
  constructor(pool: CreditPool, credit: number, clock: Clock) {
    this.#pool = pool;
    this.#size = credit;
    this.#open = credit;
    this.#clock = clock;
    this.#since = clock.now();
  }

  /**
   * Counts a message of `length` bytes. Returns false if the peer had no credit for it; the caller
   * then ends the connection.
   */
  receive(length: number): boolean {
    this.#open -= costOf(length);
    return this.#open >= 0;
  }

  /**
   * Called when the reader has taken a message. Returns the number of units that the caller must
   * now grant to the peer, usually 0.
   */
  consume(length: number): number {
    this.#taken += costOf(length);
    if (this.#taken < this.#size / 4) return 0;
    const units = this.#taken + this.#resize();
    this.#taken = 0;
    this.#open += units;
    return units;
  }

  /** Returns the units to the pool. Call it once. */
  close(): void {
    this.#pool.give(this.#size);
  }

  /**
   * Doubles the window of a fast reader, or shrinks that of a slow one, at most by half; returns
   * the difference.
   */
  #resize(): number {
    const now = this.#clock.now();
    const passed = now - this.#since;
    this.#since = now;
    if (passed < FAST && this.#size < MOST && this.#pool.grow(this.#size)) {
      const more = this.#size;
      this.#size += more;
      return more;
    }
    if (passed < SLOW || this.#size <= LEAST_CREDIT) return 0;
    // Credit that was granted can't be taken back, but credit that has just been used need not be
    // granted again.
    const most = Math.min(this.#taken - 1, this.#size - LEAST_CREDIT);
    const less = Math.floor(Math.min(most, this.#size / 2));
    this.#size -= less;
    this.#pool.give(less);
    return -less;
  }
}

/** Maximum size of a window, in units: enough for 80 MB/s over a round trip of 50 ms. */
const MOST = 4 * 1024 * 1024;
/**
 * Times in milliseconds: if a quarter of the window is taken within FAST, the window grows; if that
 * takes longer than SLOW, it shrinks.
 */
const FAST = 25;
const SLOW = 2_000;
