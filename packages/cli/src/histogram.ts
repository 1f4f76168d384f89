// Percentiles: of measured durations, and of the histograms that nodes report.

/** Returns a percentile of sorted numbers, by the nearest rank. */
export function percentile(sorted: readonly number[] | Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))]!;
}

/**
 * Returns a percentile of a histogram: the upper bound of its bucket, in the unit of `bounds`.
 * Infinity if it is above the last bound, NaN if the histogram is empty.
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

/** Draws sorted durations in milliseconds as a histogram of at most `lines` lines. */
export function drawHistogram(sorted: readonly number[] | Float64Array, lines = 12): string {
  const [low, high] = [sorted[0]!, percentile(sorted, 0.999)];
  const step = Math.max((high - low) / lines, 0.001);
  const counts = new Array<number>(lines + 1).fill(0);
  for (const each of sorted) counts[Math.min(lines, Math.floor((each - low) / step))]!++;
  const most = Math.max(...counts);
  return counts
    .map((count, i) => ({ count, from: low + i * step }))
    .filter(({ count }) => count > 0)
    .map(({ count, from }) => {
      const bar = '█'.repeat(Math.max(1, Math.round((40 * count) / most)));
      return `${from.toFixed(3).padStart(10)} ms  ${bar} ${count}\n`;
    })
    .join('');
}
