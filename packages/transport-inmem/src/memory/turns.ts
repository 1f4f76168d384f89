// The end of a tick, as often as it is asked for, without ever shutting out timers and I/O.

import type { Clock, Timer } from '@trunkline/transport-core';

/**
 * Two ends that answer each other at the end of each tick would keep the event loop from turning: no timer would run, no socket be
 * read. So while work follows work a timer is kept armed; when it is late, what comes next waits for it.
 */
export class Turns {
  readonly #clock: Clock;
  #marker: Timer | undefined;
  /** When the marker was last armed. */
  #marked: number;
  #held: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#marked = clock.now();
  }

  /** Runs `callback` when the code that runs now is through, or once timers have run. One at a time. */
  run(callback: () => void): void {
    const now = this.#clock.now();
    if (now - this.#marked < SPAN) return this.#clock.defer(callback);
    if (this.#marker !== undefined) {
      this.#held = callback;
      return;
    }
    this.#marked = now;
    this.#marker = this.#clock.setTimeout(this.#turned, 0);
    this.#clock.defer(callback);
  }

  /** Leaves no timer. What was held is dropped. */
  stop(): void {
    if (this.#marker !== undefined) this.#clock.clearTimeout(this.#marker);
    this.#marker = undefined;
    this.#held = undefined;
  }

  readonly #turned = (): void => {
    const held = this.#held;
    this.#marker = undefined;
    this.#held = undefined;
    held?.();
  };
}

/** Milliseconds of work without a turn of the event loop. */
const SPAN = 10;
