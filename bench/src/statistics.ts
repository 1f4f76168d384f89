// Medians and percentiles.

/** Returns the middle of `values`, or the mean of the two middle ones; NaN if there are none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * Returns the value at the rank `part` of the sorted values (nearest rank); NaN if there are none.
 */
export function percentile(sorted: Float64Array, part: number): number {
  return sorted[Math.max(Math.ceil(sorted.length * part) - 1, 0)] ?? Number.NaN;
}

/**
 * Returns the 95 % interval of the median of `values`, whatever their distribution: the narrowest
 * pair of ranks that the binomial distribution allows (the sign test). Undefined if there are fewer
 * than six values.
 */
export function medianInterval(values: readonly number[]): readonly [number, number] | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const count = sorted.length;
  // The probability that exactly `below` of all values are below the median, and up to that.
  let exactly = 0.5 ** count;
  let upTo = 0;
  let below = 0;
  while (below < count / 2 && 2 * (upTo + exactly) <= 0.05) {
    upTo += exactly;
    below++;
    exactly *= (count - below + 1) / below;
  }
  return below === 0 ? undefined : [sorted[below - 1]!, sorted[count - below]!];
}
