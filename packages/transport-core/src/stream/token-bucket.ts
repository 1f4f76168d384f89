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

/**
 * The token buckets of one direction. A peer that proves its id has one for all its connections,
 * also for those that it opens later.
 */
export class TokenBuckets {
  readonly #rate: number | undefined;
  /** The buckets of proven ids; the id whose last connection opened first is forgotten first. */
  readonly #byNode = new Map<string, TokenBucket>();

  /** @param rate bytes per second; undefined if there is no limit. */
  constructor(rate: number | undefined) {
    this.#rate = rate;
  }

  /** Returns the bucket of a new connection; undefined if there is no limit. */
  of(nodeId: string | undefined, now: number): TokenBucket | undefined {
    if (this.#rate === undefined) return undefined;
    if (nodeId === undefined) return new TokenBucket(this.#rate, now);
    const bucket = this.#byNode.get(nodeId) ?? new TokenBucket(this.#rate, now);
    this.#byNode.delete(nodeId);
    this.#byNode.set(nodeId, bucket);
    for (const oldest of this.#byNode.keys()) {
      if (this.#byNode.size <= MOST) break;
      this.#byNode.delete(oldest);
    }
    return bucket;
  }
}

/** Maximum number of ids: the default of `limits.connections`. */
const MOST = 16_384;
