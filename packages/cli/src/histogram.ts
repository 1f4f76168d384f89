// Percentiles and histograms of measured durations.

/** Returns a percentile of sorted numbers, by the nearest rank; undefined if there are none. */
export function percentile(sorted: readonly number[] | Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))]!;
}

/**
 * Draws sorted durations in milliseconds, at least one, as a histogram. It has at most `lines`
 * lines up to the 99.9th percentile, and one for longer durations.
 */
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
