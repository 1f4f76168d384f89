// One timer for everything that a transport waits for, armed to the earliest due time. A timer a call costs a quarter of the speed.

import type { Clock, Timer } from '../clock.ts';

/** Rings at the earliest of the times that it was given, and asks anew; late by more than half a second it first has the process's sleep excused. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: (now: number) => number;
  readonly #excuse: (lateness: number) => void;
  #due = Number.POSITIVE_INFINITY;
  #timer: Timer = undefined;
  #stopped = false;

  /**
   * @param ring does what is due, and gives the next due time.
   * @param excuse the process slept for so long: whoever was accused of silence in that time is not to blame.
   */
  constructor(clock: Clock, ring: (now: number) => number, excuse: (lateness: number) => void) {
    this.#clock = clock;
    this.#ring = ring;
    this.#excuse = excuse;
  }

  /** Rings at `time` or before. */
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
    // What was due before it was asked for is no sign of a sleep.
    this.#due = Math.max(time, now);
    this.#timer = this.#clock.setTimeout(this.#fire, this.#due - now);
  }

  readonly #fire = (): void => {
    const now = this.#clock.now();
    const lateness = now - this.#due;
    this.#due = Number.POSITIVE_INFINITY;
    if (lateness > LATE) {
      // Read first, then judge: what came meanwhile is read before this timer's next turn.
      this.#excuse(lateness);
      return this.by(now + 1);
    }
    const next = this.#ring(now);
    if (next < this.#due) this.by(next);
  };
}

/** Waking this late (milliseconds), we were asleep, not the others. */
const LATE = 500;
