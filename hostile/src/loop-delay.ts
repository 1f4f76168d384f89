// How long the event loop is held up: by the clock, and by the time that its own thread computed meanwhile.

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

  /** Milliseconds by the clock: on a machine that does other things they include the turns of others. */
  get longest(): number {
    return Math.max(0, this.#histogram.max / 1e6 - RESOLUTION);
  }

  /** Milliseconds that the thread computed between two turns of a timer; undefined if the system does not tell. */
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
    if (now !== undefined && this.#last !== undefined) this.#busy = Math.max(this.#busy, now - this.#last);
    this.#last = now;
  }
}

/** Milliseconds that the main thread has had a core. */
function computed(): number | undefined {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return undefined;
  }
}

/** Milliseconds between two looks. */
const RESOLUTION = 10;
