// Detects that no neighbor sends messages any more although messages arrived before. Either the
// topic is quiet, or all neighbors keep the messages to themselves.

import type { Random } from '@trunkline/transport-core';
import { jittered } from '../hyparview/chance.ts';

/**
 * A silence counts as long when it has lasted 10 s, or four times the mean pause between messages
 * if that is more, up to 16 minutes. If no neighbor that sent messages is left, half a second is
 * enough. `isLong` then returns true once, and again after intervals that double each time, until a
 * neighbor sends a message or a notice. While many nodes request links, the interval stays at 10 s.
 */
export class StallDetector {
  readonly #random: Random;
  /** Neighbors that sent messages or notices. */
  readonly #givers = new Set<string>();
  #last = Number.NaN;
  #mean = 0;
  #pause = SHORTEST;
  #next = Number.POSITIVE_INFINITY;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Called when a neighbor has sent a message, or given notice of a message. */
  heard(peer: string, now: number): void {
    this.#givers.add(peer);
    if (!Number.isNaN(this.#last)) this.#mean += (now - this.#last - this.#mean) / FADE;
    this.#last = now;
    this.#pause = Math.min(MOST, Math.max(SHORTEST, 4 * this.#mean));
    this.#next = now + this.#pause;
  }

  /** Called when the peer is no longer a neighbor. */
  gone(peer: string, now: number): void {
    if (this.#givers.delete(peer) && this.#givers.size === 0)
      this.#next = Math.min(this.#next, now + jittered(AT_ONCE, this.#random));
  }

  get due(): number {
    return this.#next;
  }

  /** Returns true once if the silence is long now. */
  isLong(now: number, isPressed: boolean): boolean {
    if (now < this.#next) return false;
    this.#next = now + jittered(isPressed ? SHORTEST : this.#pause, this.#random);
    this.#pause = Math.min(MOST, 2 * this.#pause);
    return true;
  }
}

const SHORTEST = 10_000;
const MOST = 16 * 60_000;
/** Inverse weight of the latest pause in the moving average: the pause has a weight of 1/16. */
const FADE = 16;
const AT_ONCE = 500;
