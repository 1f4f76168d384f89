// Bytes a second, with a second's worth of burst: limits.rate.

export class TokenBucket {
  readonly #rate: number;
  #tokens: number;
  #last: number;

  /** @param rate bytes a second. */
  constructor(rate: number, now: number) {
    this.#rate = rate;
    this.#tokens = rate;
    this.#last = now;
  }

  /** Spends `bytes`, and gives the milliseconds until the next may be spent: 0 while there is some left. */
  take(bytes: number, now: number): number {
    this.#tokens = Math.min(this.#rate, this.#tokens + ((now - this.#last) * this.#rate) / 1_000) - bytes;
    this.#last = now;
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens * 1_000) / this.#rate);
  }
}
