// Percentiles of the histograms that nodes report.

/**
 * Returns a percentile of a histogram: the upper bound of the bucket that contains it, in the unit
 * of `bounds`. Returns Infinity if the percentile is above the last bound, and NaN if the histogram
 * is empty. `share` is 0.99 for the 99th percentile; `counts` and `bounds` are those of {@link
 * NodeCallStatistics}, or differences of two.
 */
export function bucketPercentile(
  counts: readonly number[],
  bounds: readonly number[],
  share: number,
): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total <= 0) return Number.NaN;
  let rank = Math.max(1, Math.ceil(share * total));
  for (const [i, count] of counts.entries()) {
    rank -= count;
    if (rank <= 0) return bounds[i] ?? Number.POSITIVE_INFINITY;
  }
  return Number.POSITIVE_INFINITY;
}
