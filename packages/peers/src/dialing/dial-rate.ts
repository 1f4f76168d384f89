// Limits the number of dials per second.

/**
 * A token bucket, stored as the time at which it will be full (GCRA). Reading changes nothing, so
 * rounding errors don't add up.
 */
export class DialRate {
  readonly #period: number;
  readonly #burst: number;
  #fullAt = Number.NEGATIVE_INFINITY;

  /** @param rate maximum number of dials per second, on average and at once. */
  constructor(rate: number) {
    this.#period = 1_000 / rate;
    this.#burst = (Math.max(1, rate) - 1) * this.#period;
  }

  /** Time at which the next dial may start; it may start at once if that is not in the future. */
  get readyAt(): number {
    return this.#fullAt - this.#burst;
  }

  take(now: number): void {
    this.#fullAt = Math.max(now, this.#fullAt) + this.#period;
  }
}
