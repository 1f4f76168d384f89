// When to ask somebody outside both views for a link, in case the network fell apart: each such link costs two others their place.

import type { Random } from '@trunkline/transport-core';
import { jittered } from './chance.ts';

/**
 * Every `interval` while there is a reason: a link was lost, somebody was heard of for the first time, or whoever was asked did not answer. Where
 * there was none, each waits twice as long as the one before, up to 16 intervals: parts that do not know of each other may be there all the same.
 */
export class Merges {
  readonly #interval: number;
  readonly #random: Random;
  #delay: number;
  #wasTaken = true;
  #next: number;

  /** Infinity: never. */
  constructor(interval: number, random: Random, now: number) {
    this.#interval = this.#delay = interval;
    this.#random = random;
    this.#next = this.isOn ? now + random() * interval : Number.POSITIVE_INFINITY;
  }

  get isOn(): boolean {
    return this.#interval !== Number.POSITIVE_INFINITY;
  }

  /** When the next one is. */
  get due(): number {
    return this.#next;
  }

  /** One begins: unless it comes to something there is another an interval from now. */
  begin(now: number): void {
    if (!this.#wasTaken) this.#delay = this.#interval;
    this.#wasTaken = false;
    this.#next = now + jittered(this.#interval, this.#random);
  }

  /** Somebody outside took this node in. */
  succeeded(now: number): void {
    if (!this.isOn) return;
    this.#wasTaken = true;
    this.#delay = Math.min(2 * this.#delay, SLOWEST * this.#interval);
    this.#next = now + jittered(this.#delay, this.#random);
  }

  /** There is a reason. */
  isNeeded(now: number): void {
    if (this.#delay === this.#interval) return;
    this.#delay = this.#interval;
    this.#next = Math.min(this.#next, now + jittered(this.#interval, this.#random));
  }
}

/** Intervals between two merges of a network in which nothing happens. */
const SLOWEST = 16;
