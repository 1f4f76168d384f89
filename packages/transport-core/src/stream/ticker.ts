// One tick of the loop: the time is read once in it, and what it wrote leaves at its end, one write a connection.

import type { Clock } from '../clock.ts';

/** What writes at the end of a tick. */
export interface Flushable {
  flushTick(now: number): void;
}

export class Ticker {
  readonly #clock: Clock;
  #time = 0;
  #fresh = false;
  #scheduled = false;
  #inside = 0;
  #dirty: Flushable[] = [];
  /** An empty one for the next flush. */
  #spare: Flushable[] | undefined = undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The time as of this tick, in milliseconds. */
  now(): number {
    if (!this.#fresh) {
      this.#time = this.#clock.now();
      this.#fresh = true;
      this.#schedule();
    }
    return this.#time;
  }

  /** `flushable` has something to write; it is asked once, at the end of this tick. The caller makes sure that it asks once a tick. */
  touch(flushable: Flushable): void {
    this.#dirty.push(flushable);
    if (this.#inside === 0) this.#schedule();
  }

  /** Runs what an event brought: the time is read anew, and answers leave as soon as it is through. */
  run<T>(work: (now: number) => T): T {
    this.enter();
    try {
      return work(this.#time);
    } finally {
      this.leave();
    }
  }

  /** The first half of `run`, for the hottest path; `leave` must follow, whatever happens between. */
  enter(): number {
    if (this.#inside++ === 0) {
      this.#time = this.#clock.now();
      this.#fresh = true;
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
    // What a flush makes dirty again waits for the next one: a tick ends.
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
