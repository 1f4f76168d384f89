// One timer for everything that a transport waits for, set to the earliest due time. A timer for
// each call would cost a quarter of the throughput. It does not keep the process alive; KeepAlive
// does.

import { backgroundTimer, type Clock, type ClockTimer } from '../clock.ts';

/**
 * Calls `ring` at the earliest requested time; `ring` returns the next one. If the timer is late by
 * more than half a second, the process was asleep, so `excuse` is called first.
 */
export class DeadlineTimer {
  readonly #clock: Clock;
  readonly #ring: (now: number) => number;
  readonly #excuse: (lateness: number) => void;
  #due = Number.POSITIVE_INFINITY;
  #timer: ClockTimer = undefined;
  #stopped = false;

  /**
   * @param ring does everything that is due, and returns the next due time.
   * @param excuse receives the milliseconds for which the process slept: peers' silence during that
   * time does not count.
   */
  constructor(clock: Clock, ring: (now: number) => number, excuse: (lateness: number) => void) {
    this.#clock = clock;
    this.#ring = ring;
    this.#excuse = excuse;
  }

  /** Makes the timer ring at `time` or earlier. */
  by(time: number): void {
    if (time < this.#due && !this.#stopped) this.#arm(time);
  }

  stop(): void {
    this.#stopped = true;
    this.#clock.clearTimeout(this.#timer);
  }

  #arm(time: number): void {
    if (this.#due !== Number.POSITIVE_INFINITY) this.#clock.clearTimeout(this.#timer);
    const now = this.#clock.now();
    // A time that was already past when it was requested is not a sign of sleep.
    this.#due = Math.max(time, now);
    this.#timer = backgroundTimer(this.#clock, this.#fire, this.#due - now);
  }

  readonly #fire = (): void => {
    const now = this.#clock.now();
    const lateness = now - this.#due;
    this.#due = Number.POSITIVE_INFINITY;
    if (lateness > LATE) {
      // Input that arrived during the sleep is read before the timer's next turn, and only then are
      // peers judged.
      this.#excuse(lateness);
      return this.by(now + 1);
    }
    const next = this.#ring(now);
    if (next < this.#due) this.by(next);
  };
}

/** The lateness in milliseconds from which this process is assumed to have slept. */
const LATE = 500;
