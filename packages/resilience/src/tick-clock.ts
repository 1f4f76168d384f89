// The time of the current tick: reading the system's clock for each call would cost as much as
// choosing an address.

import type { Clock } from '@trunkline/transport-core';

/** Reads a clock once per tick of the event loop. */
export class TickClock {
  readonly #clock: Clock;
  #time = 0;
  #isFresh = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns the time of this tick in milliseconds. */
  now(): number {
    if (this.#isFresh) return this.#time;
    this.#time = this.#clock.now();
    this.#isFresh = true;
    this.#clock.defer(this.#end);
    return this.#time;
  }

  readonly #end = () => {
    this.#isFresh = false;
  };
}
