// A histogram with fixed buckets. Recording a value allocates nothing.

/** Counts of values by bucket, and their sum. */
export class Histogram {
  /** The upper bounds of the buckets, ascending; a value equal to a bound is in its bucket. */
  readonly bounds: readonly number[];
  /** One count for each bound, and one for the values above the last. */
  readonly counts: Float64Array;
  // An array element keeps the sum as an unboxed double. A field would allocate memory for each new
  // value.
  readonly #sum = new Float64Array(1);

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** Counts a value, in the unit of the bounds. */
  record(value: number): void {
    const { bounds } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > bounds[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.#sum[0]! += value;
  }

  get sum(): number {
    return this.#sum[0]!;
  }

  get count(): number {
    let count = 0;
    for (const each of this.counts) count += each;
    return count;
  }
}
