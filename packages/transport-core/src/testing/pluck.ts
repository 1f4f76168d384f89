/** Returns one property of each item. */
export function pluck<T, K extends keyof T>(items: Iterable<T>, name: K): T[K][] {
  return Array.from(items, (item) => item[name]);
}
