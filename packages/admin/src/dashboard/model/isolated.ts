// The values of a chart that no line can show.

/** Returns the indices of the values that have no neighbor. */
export function isolated(values: ArrayLike<number | null | undefined>): number[] {
  const has = (i: number) => typeof values[i] === 'number';
  return Array.from(values, (_, i) => i).filter((i) => has(i) && !has(i - 1) && !has(i + 1));
}
