// Adapts the times of the demo to the speed of the machine, because all nodes of the demo, and its
// clients, share one event loop.

import type { Clock, ClockTimer } from '@trunkline/transport-core';

/**
 * Measures the lag of the event loop, and derives the factor by which the demo multiplies its
 * timeouts and pauses.
 *
 * A timer of 10 ms runs all the time. The lag is the time by which it fires late: a frame that
 * arrives, or another timer, waits as long. A vote needs several turns of the event loop, so an
 * election fails unless its timeout is a multiple of the lag.
 *
 * The factor follows the mean lag of the last seconds, weighted by time, so that one slow turn
 * counts little: code that runs for the first time causes slow turns even on an idle machine. The
 * measurement lasts as long as the cluster, because an idle process has no lag: the lag appears
 * while the nodes connect, elect and write. Each election, call and pause uses the factor of the
 * moment in which it begins. So an election that fails under a rising load is repeated with longer
 * timeouts.
 */
export class TimeScale {
  readonly #clock: Clock;
  /** The mean lag in milliseconds. */
  #lag = 0;
  #dueAt = 0;
  #timer: ClockTimer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Starts the measurement, or restarts it. */
  start(): void {
    this.stop();
    this.#arm();
  }

  /** Stops the measurement; the factor stays as it is. Idempotent. */
  stop(): void {
    this.#clock.clearTimeout(this.#timer);
  }

  /** The factor: 1 up to a mean lag of 20 ms, above it in proportion to the lag, and at most 15. */
  get factor(): number {
    return Math.max(1, this.#lag / TOLERATED);
  }

  #arm(): void {
    this.#dueAt = this.#clock.now() + PERIOD;
    this.#timer = this.#clock.setTimeout(() => {
      const lag = Math.max(0, this.#clock.now() - this.#dueAt);
      const weight = 1 - Math.exp(-(PERIOD + lag) / MEMORY);
      this.#lag = Math.min(this.#lag + (lag - this.#lag) * weight, MOST * TOLERATED);
      this.#arm();
    }, PERIOD);
  }
}

/** Milliseconds between two measurements. */
const PERIOD = 10;
/** The time constant of the mean, in milliseconds: a lag that old counts for 37 %. */
const MEMORY = 3_000;
/**
 * The mean lag in milliseconds up to which the times are not scaled: a tenth of the election
 * timeout. The demo itself causes a mean lag of 1 to 11 ms on a lightly loaded machine with two
 * cores; with eight busy processes beside it, the mean lag is mostly 30 to 200 ms.
 */
const TOLERATED = 20;
/** Limits the factor, because a process that was suspended for an hour sees a lag of an hour. */
const MOST = 15;
