// Messages came, and then no neighbour gives any: all may be quiet, or all neighbours keep them for themselves.

import type { Random } from '@trunkline/transport-core';
import { jittered } from '../hyparview/chance.ts';

/**
 * A silence is long after 10 s, or four times the mean of those before; when nobody is left of those who gave, at once. It is told then, and
 * again after twice as long each time, until somebody gives; where many press for links, after as long each time.
 */
export class Silence {
  readonly #random: Random;
  /** Neighbours that gave. */
  readonly #givers = new Set<string>();
  #last = Number.NaN;
  #mean = 0;
  #pause = SHORTEST;
  #next = Number.POSITIVE_INFINITY;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A neighbour gave a message, or notice of one. */
  heard(peer: string, now: number): void {
    this.#givers.add(peer);
    if (!Number.isNaN(this.#last)) this.#mean += (now - this.#last - this.#mean) / FADE;
    this.#last = now;
    this.#pause = Math.min(MOST, Math.max(SHORTEST, 4 * this.#mean));
    this.#next = now + this.#pause;
  }

  /** It is no neighbour any more. */
  gone(peer: string, now: number): void {
    if (this.#givers.delete(peer) && this.#givers.size === 0) this.#next = Math.min(this.#next, now + jittered(AT_ONCE, this.#random));
  }

  get due(): number {
    return this.#next;
  }

  /** Is it, now? It is said once. */
  isLong(now: number, isPressed: boolean): boolean {
    if (now < this.#next) return false;
    this.#next = now + jittered(isPressed ? SHORTEST : this.#pause, this.#random);
    this.#pause = Math.min(MOST, 2 * this.#pause);
    return true;
  }
}

const SHORTEST = 10_000;
const MOST = 16 * 60_000;
/** Of the mean, what the last silence counts. */
const FADE = 16;
const AT_ONCE = 500;
