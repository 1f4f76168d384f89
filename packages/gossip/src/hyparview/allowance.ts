// So many at once, and one more every so often.

/** A token bucket. */
export class Allowance {
  readonly #burst: number;
  readonly #interval: number;
  #left: number;
  #at: number;

  /** `burst` at once, and one more every `interval` milliseconds. */
  constructor(burst: number, interval: number, now: number) {
    this.#burst = burst;
    this.#interval = interval;
    this.#left = burst;
    this.#at = now;
  }

  /** Takes one, where there is one. */
  take(now: number): boolean {
    if (now > this.#at) {
      this.#left = Math.min(this.#burst, this.#left + (now - this.#at) / this.#interval);
      this.#at = now;
    }
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }

  /** More than half was taken of late. */
  get isScarce(): boolean {
    return 2 * this.#left < this.#burst;
  }
}
