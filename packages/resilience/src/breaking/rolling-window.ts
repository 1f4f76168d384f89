// Counts of calls over the last seconds, in slices that are dropped one by one.

/** Counts successes and failures in a rolling window. */
export class RollingWindow {
  readonly #slice: number;
  readonly #calls: Float64Array;
  readonly #failures: Float64Array;
  /** Number of the current slice, counted from time 0. */
  #current: number;
  calls = 0;
  failures = 0;

  /** @param length length of the window in milliseconds. */
  constructor(length: number, now: number) {
    this.#slice = length / SLICES;
    this.#calls = new Float64Array(SLICES);
    this.#failures = new Float64Array(SLICES);
    this.#current = Math.floor(now / this.#slice);
  }

  record(isFailure: boolean, now: number): void {
    this.advance(now);
    const at = this.#current % SLICES;
    this.#calls[at]!++;
    this.calls++;
    if (!isFailure) return;
    this.#failures[at]!++;
    this.failures++;
  }

  /** Drops the slices that are older than the window. */
  advance(now: number): void {
    const current = Math.floor(now / this.#slice);
    const passed = Math.min(current - this.#current, SLICES);
    for (let n = 1; n <= passed; n++) {
      const at = (this.#current + n) % SLICES;
      this.calls -= this.#calls[at]!;
      this.failures -= this.#failures[at]!;
      this.#calls[at] = 0;
      this.#failures[at] = 0;
    }
    if (current > this.#current) this.#current = current;
  }

  clear(): void {
    this.#calls.fill(0);
    this.#failures.fill(0);
    this.calls = 0;
    this.failures = 0;
  }
}

const SLICES = 10;
