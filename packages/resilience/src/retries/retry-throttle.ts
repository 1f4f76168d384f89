// The token buckets that stop retries while calls fail, as in gRPC A6: one for each target, with a
// floor below which retries are never stopped, as in Finagle's retry budget.

/** Counts the failures of each target against its successes. */
export class RetryThrottle {
  readonly #most: number;
  readonly #ratio: number;
  /** The buckets that are not full, by target; the oldest first. */
  readonly #buckets = new Map<string, { tokens: number; freeAt: number }>();
  /** The times of the last retries without tokens. */
  readonly #free: number[] = [];

  /** @param tokens the size of a bucket; `Infinity` never stops retries. */
  constructor(tokens: number, ratio: number) {
    this.#most = tokens;
    this.#ratio = ratio;
  }

  /** The targets whose buckets are not full, and the numbers of tokens that are left. */
  get targets(): { readonly target: string; readonly tokens: number }[] {
    return [...this.#buckets].map(([target, { tokens }]) => ({ target, tokens }));
  }

  /** Returns true if the target has enough tokens for another attempt. */
  hasTokens(target: string): boolean {
    const bucket = this.#buckets.get(target);
    return bucket === undefined || bucket.tokens > this.#most / 2;
  }

  /**
   * Returns true if a retry may be made without tokens: if the target has had no such retry in the
   * last second, and all targets together fewer than ten. It then counts as made.
   */
  isFree(target: string, now: number): boolean {
    const bucket = this.#buckets.get(target);
    const free = this.#free;
    if (bucket === undefined) return true;
    if (now < bucket.freeAt || (free.length === MOST_FREE && now < free[0]! + SECOND)) return false;
    bucket.freeAt = now + SECOND;
    free.push(now);
    if (free.length > MOST_FREE) free.shift();
    return true;
  }

  succeeded(target: string): void {
    if (this.#buckets.size === 0) return;
    const bucket = this.#buckets.get(target);
    if (bucket === undefined) return;
    bucket.tokens += this.#ratio;
    if (bucket.tokens >= this.#most) this.#buckets.delete(target);
  }

  /** Takes a token for a failed attempt, or for a hedge that is sent. */
  take(target: string): void {
    if (this.#most === Number.POSITIVE_INFINITY) return;
    let bucket = this.#buckets.get(target);
    if (bucket === undefined) {
      if (this.#buckets.size >= MOST_TARGETS)
        this.#buckets.delete(this.#buckets.keys().next().value!);
      bucket = { tokens: this.#most, freeAt: Number.NEGATIVE_INFINITY };
      this.#buckets.set(target, bucket);
    }
    bucket.tokens = Math.max(0, bucket.tokens - 1);
  }
}

const SECOND = 1_000;
/** Maximum number of retries without tokens in a second: Finagle's default. */
const MOST_FREE = 10;
/** Maximum number of buckets; beyond it, the oldest is forgotten, and its target starts afresh. */
const MOST_TARGETS = 1_000;
