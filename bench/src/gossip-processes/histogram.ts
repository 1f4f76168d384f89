// A histogram of delivery times over many processes. Each bucket is 1 % wider than the one before.

/** The number of deliveries by bucket. */
export type Counts = readonly (readonly [bucket: number, count: number])[];

export class Histogram {
  readonly #counts = new Map<number, number>();
  #longest = 0;

  /** @param microseconds the time that a delivery took. */
  add(microseconds: number): void {
    const bucket = Math.max(0, Math.ceil(Math.log(microseconds) / STEP));
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + 1);
    if (microseconds > this.#longest) this.#longest = microseconds;
  }

  /** Adds the counts of another process. */
  merge({ counts, longest }: HistogramData): void {
    for (const [bucket, count] of counts)
      this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + count);
    this.#longest = Math.max(this.#longest, longest);
  }

  /**
   * Returns the microseconds within which the share `part` of the deliveries arrived, at most 1 %
   * too high; NaN if there are none.
   */
  percentile(part: number): number {
    const sorted = [...this.#counts].sort(([a], [b]) => a - b);
    const wanted = Math.ceil(sorted.reduce((sum, [, count]) => sum + count, 0) * part);
    let passed = 0;
    for (const [bucket, count] of sorted)
      if ((passed += count) >= wanted) return Math.min(Math.exp(bucket * STEP), this.#longest);
    return Number.NaN;
  }

  get longest(): number {
    return this.#longest;
  }

  /** The counts in the form sent to the parent process. */
  get data(): HistogramData {
    return { counts: [...this.#counts], longest: this.#longest };
  }
}

export interface HistogramData {
  readonly counts: Counts;
  readonly longest: number;
}

const STEP = Math.log(1.01);
