// The token bucket that stops retries while calls fail, as in gRFC A6.

/** Counts failures against successes. */
export class RetryThrottle {
  readonly #most: number;
  readonly #ratio: number;
  #tokens: number;

  /** @param tokens the size of the bucket; `Infinity` never stops retries. */
  constructor(tokens: number, ratio: number) {
    this.#most = tokens;
    this.#ratio = ratio;
    this.#tokens = tokens;
  }

  /** Number of tokens that are left. */
  get tokens(): number {
    return this.#tokens;
  }

  /** True if another attempt may be made. */
  get allows(): boolean {
    return this.#tokens > this.#most / 2 || this.#most === Number.POSITIVE_INFINITY;
  }

  succeeded(): void {
    if (this.#tokens < this.#most) this.#tokens = Math.min(this.#most, this.#tokens + this.#ratio);
  }

  /** Takes a token for a failed attempt, or for a hedge that is sent. */
  take(): void {
    this.#tokens = Math.max(0, this.#tokens - 1);
  }
}
