// Measures how long the event loop is blocked, by the clock and by the CPU time of its own thread.

import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

export class LoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION });
  readonly #timer = setInterval(() => this.#look(), RESOLUTION).unref();
  #last = computed();
  #busy = 0;

  constructor() {
    this.#histogram.enable();
  }

  reset(): void {
    this.#histogram.reset();
    this.#last = computed();
    this.#busy = 0;
  }

  /**
   * The longest delay in milliseconds by the clock, which includes the time that other programs
   * used the core.
   */
  get longest(): number {
    return Math.max(0, this.#histogram.max / 1e6 - RESOLUTION);
  }

  /**
   * The most CPU time in milliseconds that the thread used between two turns of a timer; undefined
   * if the system does not report it.
   */
  get busiest(): number | undefined {
    this.#look();
    return this.#last === undefined ? undefined : this.#busy;
  }

  stop(): void {
    this.#histogram.disable();
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = computed();
    if (now !== undefined && this.#last !== undefined)
      this.#busy = Math.max(this.#busy, now - this.#last);
    this.#last = now;
  }
}

/** Returns the milliseconds that the main thread has run on a core. */
function computed(): number | undefined {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return undefined;
  }
}

/** Milliseconds between two samples. */
const RESOLUTION = 10;
