// A token bucket for limits.rate: bytes per second, with bursts of up to one second's worth.

/** A token bucket with a capacity of one second. */
export class TokenBucket {
  readonly #rate: number;
  #tokens: number;
  #last: number;

  /** @param rate bytes per second. */
  constructor(rate: number, now: number) {
    this.#rate = rate;
    this.#tokens = rate;
    this.#last = now;
  }

  /**
   * Spends `bytes`. Returns the number of milliseconds until more may be spent; 0 if tokens are
   * left.
   */
  take(bytes: number, now: number): number {
    this.#tokens =
      Math.min(this.#rate, this.#tokens + ((now - this.#last) * this.#rate) / 1_000) - bytes;
    this.#last = now;
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens * 1_000) / this.#rate);
  }
}
