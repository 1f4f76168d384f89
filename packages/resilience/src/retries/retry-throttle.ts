// The token bucket that stops retries while calls fail, as in gRFC A6.

/** Options of the retry throttle. */
export interface RetryThrottleOptions {
  /**
   * The size of the bucket, at least 1. Retries stop while half of it or less is left. Default 10,
   * the example of gRFC A6: five consecutive failed attempts stop retries. A client with many calls
   * in flight needs more: twice its number of calls in flight to one server, because all of these
   * calls fail together if that server dies.
   */
  readonly tokens?: number | undefined;
  /**
   * The part of a token that a successful call returns, above 0 and at most 1. In the long run,
   * this is the maximum number of extra attempts for each call that succeeds. Default 0.1.
   */
  readonly ratio?: number | undefined;
}

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
