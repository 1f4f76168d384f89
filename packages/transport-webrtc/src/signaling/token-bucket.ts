// A token bucket: a fixed number of tokens per second, with bursts up to its capacity.

/** A token bucket; it starts full. */
export class TokenBucket {
  readonly #rate: number;
  readonly #capacity: number;
  #tokens: number;
  #last: number;

  /**
   * @param rate tokens per second.
   * @param now the time in milliseconds, here and in the methods.
   */
  constructor(rate: number, capacity: number, now: number) {
    this.#rate = rate;
    this.#capacity = capacity;
    this.#tokens = capacity;
    this.#last = now;
  }

  /** Takes a token if there is one. */
  tryTake(now: number): boolean {
    this.#fill(now);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /**
   * Takes tokens in advance; returns the number of milliseconds to wait until they have been added.
   */
  take(amount: number, now: number): number {
    this.#fill(now);
    this.#tokens -= amount;
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens * 1_000) / this.#rate);
  }

  #fill(now: number): void {
    const fresh = ((now - this.#last) * this.#rate) / 1_000;
    this.#tokens = Math.min(this.#capacity, this.#tokens + fresh);
    this.#last = now;
  }
}
