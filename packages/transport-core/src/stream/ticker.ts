// Divides time into ticks of the event loop. The clock is read once in a tick, and each connection
// writes its output once, at the end. Output that can wait leaves at the end of the turn.

import { backgroundTimer, type Clock, type ClockTimer } from '../clock.ts';

/** An object that writes at the end of a tick. */
export interface Flushable {
  flushTick(now: number): void;
}

/** Provides the time of the current tick, and flushes output at its end. */
export class Ticker {
  readonly #clock: Clock;
  readonly #began: (() => void) | undefined;
  #time = 0;
  #fresh = false;
  #scheduled = false;
  #inside = 0;
  #dirty: Flushable[] = [];
  /** An empty array for the next flush. */
  #spare: Flushable[] | undefined = undefined;

  /** @param began called at the beginning of each tick, if given. */
  constructor(clock: Clock, began: (() => void) | undefined = undefined) {
    this.#clock = clock;
    this.#began = began;
  }

  /** Returns the time of this tick in milliseconds. */
  now(): number {
    return this.#fresh ? this.#time : this.#begin();
  }

  /** Begins a tick: reads the clock. */
  #begin(): number {
    this.#time = this.#clock.now();
    this.#fresh = true;
    if (this.#began !== undefined) this.#began();
    this.#schedule();
    return this.#time;
  }

  /**
   * Schedules a call to `flushTick` at the end of this tick.
   * @param canWait true if the end of this turn of the event loop is early enough.
   */
  touch(flushable: Flushable, canWait = false): void {
    this.#dirty.push(flushable);
    if (this.#inside > 0) return;
    const { turn } = this.#clock;
    // An event without work reads the clock again, and flushes.
    if (canWait && turn !== undefined) turn(() => this.run(() => {}));
    else this.#schedule();
  }

  /**
   * Handles an event: reads the clock again, runs `work`, and flushes the output as soon as it
   * returns.
   */
  run<T>(work: (now: number) => T): T {
    this.enter();
    try {
      return work(this.#time);
    } finally {
      this.leave();
    }
  }

  /** The first half of `run`, for the hottest path. `leave` must always be called afterwards. */
  enter(): number {
    if (this.#inside++ === 0) {
      this.#time = this.#clock.now();
      this.#fresh = true;
      if (this.#began !== undefined) this.#began();
    }
    return this.#time;
  }

  leave(): void {
    if (--this.#inside > 0) return;
    this.#flush();
    if (!this.#scheduled) this.#fresh = false;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.defer(this.#tick);
  }

  readonly #tick = (): void => {
    this.#scheduled = false;
    this.#flush();
    this.#fresh = false;
  };

  #flush(): void {
    // Objects that become dirty during a flush are flushed in the next round, until none are left.
    while (this.#dirty.length > 0) {
      const dirty = this.#dirty;
      this.#dirty = this.#spare ?? [];
      this.#spare = undefined;
      for (const flushable of dirty) flushable.flushTick(this.#time);
      dirty.length = 0;
      this.#spare = dirty;
    }
  }
}

// One timer for everything that a transport waits for, set to the earliest due time. A timer for
// each call would cost a quarter of the throughput. It does not keep the process alive; KeepAlive
// does.

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
