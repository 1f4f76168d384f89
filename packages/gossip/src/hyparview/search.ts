// Decides which peers may be asked while a view is short, and when those asked before may be asked
// again.

import type { Random } from '@trunkline/transport-core';
import { jittered } from './chance.ts';

/**
 * A round asks each peer at most once. It ends when the view is full; while the view stays short,
 * the intervals between rounds grow.
 */
export class Search {
  readonly #random: Random;
  readonly #slowest: number;
  readonly #most: number;
  readonly #asked = new Set<string>();
  #delay = RETRY;
  #next = Number.POSITIVE_INFINITY;
  #failures = 0;
  #refusals = 0;

  /**
   * Asks at most `most` peers in a round, and begins a round at least every `slowest` milliseconds.
   */
  constructor(most: number, slowest: number, random: Random) {
    this.#most = most;
    this.#slowest = slowest;
    this.#random = random;
  }

  /** Time at which the next round begins. */
  get due(): number {
    return this.#next;
  }

  /** Number of consecutive rounds that left the view short. */
  get failures(): number {
    return this.#failures;
  }

  /** Number of refusals in this round. */
  get refusals(): number {
    return this.#refusals;
  }

  /** Returns true if the peer may be asked in this round. */
  mayAsk(peer: string): boolean {
    return this.#asked.size < this.#most && !this.#asked.has(peer);
  }

  asked(peer: string): void {
    if (this.#asked.size < this.#most) this.#asked.add(peer);
  }

  refused(): void {
    this.#refusals++;
  }

  /**
   * Updates the search. If the view is short, a round follows; otherwise the search starts over.
   * Call it after every change.
   */
  update(isShort: boolean, now: number): void {
    if (!isShort) {
      if (this.#next !== Number.POSITIVE_INFINITY || this.#refusals > 0 || this.#asked.size > 0)
        this.restart();
    } else if (this.#next === Number.POSITIVE_INFINITY) {
      this.#next = now + jittered(this.#delay, this.#random);
    }
  }

  /** Begins a round if one is due. Returns true if it did. */
  begin(now: number): boolean {
    if (now < this.#next) return false;
    this.#asked.clear();
    this.#refusals = 0;
    this.#failures++;
    this.#delay = Math.min(this.#delay * 2, this.#slowest);
    this.#next = now + jittered(this.#delay, this.#random);
    return true;
  }

  /** Starts over with the first round. */
  restart(): void {
    this.#asked.clear();
    this.#refusals = 0;
    this.#delay = Math.min(RETRY, this.#slowest);
    this.#next = Number.POSITIVE_INFINITY;
    this.#failures = 0;
  }
}

/** Milliseconds until the second round. */
const RETRY = 1_000;
