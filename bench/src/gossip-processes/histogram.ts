// How long deliveries took, over many processes: counts in buckets that are each 1 % wider than the one before.

/** Bucket → deliveries in it. */
export type Counts = readonly (readonly [bucket: number, count: number])[];

export class Histogram {
  readonly #counts = new Map<number, number>();
  #longest = 0;

  /** @param microseconds that a delivery took. */
  add(microseconds: number): void {
    const bucket = Math.max(0, Math.ceil(Math.log(microseconds) / STEP));
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + 1);
    if (microseconds > this.#longest) this.#longest = microseconds;
  }

  /** Adds those of another process. */
  merge({ counts, longest }: HistogramData): void {
    for (const [bucket, count] of counts) this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + count);
    this.#longest = Math.max(this.#longest, longest);
  }

  /** Microseconds that `part` of the deliveries took at most, up to 1 % too much. NaN of none. */
  percentile(part: number): number {
    const sorted = [...this.#counts].sort(([a], [b]) => a - b);
    const wanted = Math.ceil(sorted.reduce((sum, [, count]) => sum + count, 0) * part);
    let passed = 0;
    for (const [bucket, count] of sorted) if ((passed += count) >= wanted) return Math.min(Math.exp(bucket * STEP), this.#longest);
    return Number.NaN;
  }

  get longest(): number {
    return this.#longest;
  }

  /** As it goes to the parent. */
  get data(): HistogramData {
    return { counts: [...this.#counts], longest: this.#longest };
  }
}

export interface HistogramData {
  readonly counts: Counts;
  readonly longest: number;
}

const STEP = Math.log(1.01);
