// The time of a scenario on processes: it stands still until all nodes have started, and is real
// from then on.

import { type Clock, type ClockTimer, systemClock } from '@trunkline/transport-core';

/** A timer that was set before or after the start. `isOver` is true once it is canceled. */
interface Wait {
  /** The timer of the system; undefined before the start. */
  timer: ClockTimer | undefined;
  isOver: boolean;
}

export class ScenarioClock implements Clock {
  /** Resolves at the start. */
  readonly begun: Promise<void>;
  #begin: () => void = () => {};
  #startedAt: number | undefined;

  constructor() {
    this.begun = new Promise((resolve) => {
      this.#begin = resolve;
    });
  }

  get hasBegun(): boolean {
    return this.#startedAt !== undefined;
  }

  /** Starts the time. */
  begin(): void {
    this.#startedAt = systemClock.now();
    this.#begin();
  }

  /** Real milliseconds since the start; 0 before it. */
  now(): number {
    return this.#startedAt === undefined ? 0 : systemClock.now() - this.#startedAt;
  }

  setTimeout(callback: () => void, delay: number): ClockTimer {
    const wait: Wait = { timer: undefined, isOver: false };
    const arm = () => {
      if (!wait.isOver) wait.timer = systemClock.setTimeout(callback, delay);
    };
    if (this.hasBegun) arm();
    else void this.begun.then(arm);
    return wait as unknown as ClockTimer;
  }

  clearTimeout(timer: ClockTimer): void {
    const wait = timer as unknown as Wait | undefined;
    if (wait === undefined) return;
    wait.isOver = true;
    if (wait.timer !== undefined) systemClock.clearTimeout(wait.timer);
  }

  /** Before the start, an abort takes effect only at the start. */
  async sleep(delay: number, signal?: AbortSignal): Promise<void> {
    await this.begun;
    await systemClock.sleep(delay, signal);
  }

  defer(callback: () => void): void {
    systemClock.defer(callback);
  }
}
