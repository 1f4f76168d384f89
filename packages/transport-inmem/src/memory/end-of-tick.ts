// Callbacks at the end of the current tick that never starve timers and I/O. Tested in
// stream/inmem-streams.test.ts.

import type { Clock, ClockTimer } from '@trunkline/transport-core';

/** Runs the callbacks of MemoryConnections, each after the code that requested it has finished. */
export interface CallbackRunner {
  /**
   * Runs a callback later, never within this call. A connection passes the next callback only once
   * the previous one has begun. Several connections may share a runner (SimLayer), but not an
   * EndOfTick.
   */
  run(callback: () => void): void;
  /** Called when a connection reports its end to its sink. May drop a callback that waits. */
  stop(): void;
}

/**
 * Runs callbacks at the end of the current tick. Two ends that keep answering each other at the end
 * of each tick would keep the event loop from turning, so no timer would run and no socket would be
 * read. During continuous work a timer is therefore set; if it is late, the next callback waits for
 * it.
 */
export class EndOfTick implements CallbackRunner {
  readonly #clock: Clock;
  #marker: ClockTimer | undefined;
  /** The time at which the marker was last set; at first, the time of creation. */
  #marked: number;
  #held: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#marked = clock.now();
  }

  /**
   * Runs `callback` once the current code has finished, or once overdue timers have run. Takes one
   * callback at a time.
   */
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

  /** Clears the timer. A callback that waits for it is dropped. */
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

/** Duration of continuous work, in milliseconds, after which timers get a turn. */
const SPAN = 10;
