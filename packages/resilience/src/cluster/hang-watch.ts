// Finds out whether a worker answers, without taking the primary's own lag for its silence.

import type { Clock, ClockTimer } from '@trunkline/transport-core';

/** The options of a HangWatch. */
export interface HangWatchOptions {
  readonly clock: Clock;
  /** The time, in milliseconds, for which the worker must not answer. */
  readonly timeout: number;
  /** Asks the worker for an answer, which is passed on with `answered`. */
  readonly ask: () => void;
  /** Called once, after the worker has not answered for `silent` milliseconds. */
  readonly hung: (silent: number) => void;
}

/**
 * Looks ten times in `timeout` whether a worker has answered, and if so asks it again, until it
 * hangs or the watch stops.
 */
export class HangWatch {
  readonly #options: HangWatchOptions;
  readonly #interval: number;
  #timer: ClockTimer;
  #lookedAt: number;
  #isAsked = false;
  /** The time since the question, without the primary's own lag. */
  #silent = 0;

  constructor(options: HangWatchOptions) {
    this.#options = options;
    this.#interval = options.timeout / 10;
    this.#lookedAt = options.clock.now();
    this.#timer = this.#later();
  }

  answered(): void {
    this.#isAsked = false;
    this.#silent = 0;
  }

  stop(): void {
    this.#options.clock.clearTimeout(this.#timer);
  }

  #later(): ClockTimer {
    return this.#options.clock.setTimeout(() => this.#look(), this.#interval);
  }

  #look(): void {
    const { clock, timeout, ask, hung } = this.#options;
    const now = clock.now();
    // If this timer is late, the primary was busy or stopped, and has not heard its workers.
    if (this.#isAsked) this.#silent += Math.min(now - this.#lookedAt, this.#interval);
    this.#lookedAt = now;
    // A question is asked only once, so questions don't pile up before a worker that hangs.
    if (!this.#isAsked) ask();
    this.#isAsked = true;
    if (this.#silent >= timeout) hung(this.#silent);
    else this.#timer = this.#later();
  }
}
