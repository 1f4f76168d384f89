// A rate limit: a number of actions at once, and one more after each interval.

/** A token bucket. */
export class Allowance {
  readonly #burst: number;
  readonly #interval: number;
  #left: number;
  #at: number;

  /** Allows `burst` actions at once, and one more every `interval` milliseconds. */
  constructor(burst: number, interval: number, now: number) {
    this.#burst = burst;
    this.#interval = interval;
    this.#left = burst;
    this.#at = now;
  }

  /** Takes a token. Returns false if there is none. */
  take(now: number): boolean {
    this.#refill(now);
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }

  /** Returns true if less than half of the burst is left. */
  isScarce(now: number): boolean {
    this.#refill(now);
    return 2 * this.#left < this.#burst;
  }

  #refill(now: number): void {
    if (now <= this.#at) return;
    this.#left = Math.min(this.#burst, this.#left + (now - this.#at) / this.#interval);
    this.#at = now;
  }
}
