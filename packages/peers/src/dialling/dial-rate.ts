// So many dials a second on average, and no more than that at once.

/** A token bucket, kept as the time at which it is full (GCRA): asking changes nothing, so no rounding adds up. */
export class DialRate {
  readonly #period: number;
  readonly #burst: number;
  #fullAt = Number.NEGATIVE_INFINITY;

  /** @param rate dials a second, and the most that go at once. */
  constructor(rate: number) {
    this.#period = 1_000 / rate;
    this.#burst = (Math.max(1, rate) - 1) * this.#period;
  }

  /** When the next dial may go; now or earlier: at once. */
  get readyAt(): number {
    return this.#fullAt - this.#burst;
  }

  take(now: number): void {
    this.#fullAt = Math.max(now, this.#fullAt) + this.#period;
  }
}
