// Decides when to ask a node outside both views for a link in case the network has split. Each such
// link evicts two others.

import type { Random } from '@trunkline/transport-core';
import { jittered } from './chance.ts';

/**
 * Merges happen every `interval` while there is a reason: a link was lost, a node was named for the
 * first time, or the last node asked did not answer. Without a reason, each wait is twice as long
 * as the previous one, up to 16 intervals. Merges never stop, because the network may have split
 * into parts that do not know of each other.
 */
export class Merges {
  readonly #interval: number;
  readonly #random: Random;
  #delay: number;
  #wasTaken = true;
  #next: number;

  /** An `interval` of Infinity means never. */
  constructor(interval: number, random: Random, now: number) {
    this.#interval = this.#delay = interval;
    this.#random = random;
    this.#next = this.isOn ? now + random() * interval : Number.POSITIVE_INFINITY;
  }

  get isOn(): boolean {
    return this.#interval !== Number.POSITIVE_INFINITY;
  }

  /** Time at which the next merge is due. */
  get due(): number {
    return this.#next;
  }

  /** Begins a merge. Unless it succeeds, another follows after an interval. */
  begin(now: number): void {
    if (!this.#wasTaken) this.#delay = this.#interval;
    this.#wasTaken = false;
    this.#next = now + jittered(this.#interval, this.#random);
  }

  /** A node outside the views has accepted this node. */
  succeeded(now: number): void {
    if (!this.isOn) return;
    this.#wasTaken = true;
    this.#delay = Math.min(2 * this.#delay, SLOWEST * this.#interval);
    this.#next = now + jittered(this.#delay, this.#random);
  }

  /** Notes that there is a reason to merge. */
  isNeeded(now: number): void {
    if (this.#delay === this.#interval) return;
    this.#delay = this.#interval;
    this.#next = Math.min(this.#next, now + jittered(this.#interval, this.#random));
  }
}

/** The longest wait between two merges if nothing happens, in intervals. */
const SLOWEST = 16;
