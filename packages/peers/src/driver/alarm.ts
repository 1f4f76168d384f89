// The one timer of all that peers wait for.

import type { Clock, Timer } from '@trunkline/transport-core';

export class Alarm {
  readonly #clock: Clock;
  readonly #ring: (now: number, slept: boolean) => number;
  #due = Number.POSITIVE_INFINITY;
  #timer: Timer = undefined;
  #stopped = false;

  /** @param ring does what is due, and gives the next due time; `slept`: this process stood still, and whoever seems silent is not to blame. */
  constructor(clock: Clock, ring: (now: number, slept: boolean) => number) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Rings at `time` or before. */
  by(time: number): void {
    if (time >= this.#due || this.#stopped) return;
    if (this.#due !== Number.POSITIVE_INFINITY) this.#clock.clearTimeout(this.#timer);
    const now = this.#clock.now();
    this.#due = Math.max(time, now);
    this.#timer = this.#clock.setTimeout(this.#fire, this.#due - now);
  }

  stop(): void {
    this.#stopped = true;
    this.#clock.clearTimeout(this.#timer);
  }

  readonly #fire = (): void => {
    if (this.#stopped) return;
    const now = this.#clock.now();
    const slept = now - this.#due > LATE;
    this.#due = Number.POSITIVE_INFINITY;
    this.by(this.#ring(now, slept));
  };
}

/** Ringing so late (milliseconds), this process was asleep, not the others (docs/wire-protocol.md §9). */
const LATE = 500;
