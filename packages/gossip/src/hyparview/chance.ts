// Random selection from short lists.

import type { Random } from '@trunkline/transport-core';

/**
 * Returns one of the items that fit, chosen at random with equal probability; undefined if none
 * fits.
 */
export function pick<T>(
  list: readonly T[],
  random: Random,
  isFit: (item: T) => boolean,
): T | undefined {
  let fit = 0;
  for (const item of list) if (isFit(item)) fit++;
  if (fit === 0) return undefined;
  let skip = Math.floor(random() * fit);
  for (const item of list) if (isFit(item) && skip-- === 0) return item;
  return undefined;
}

/** Returns at most `count` different items of the list, all with equal probability. */
export function sample<T>(list: readonly T[], count: number, random: Random): T[] {
  const rest = list.slice();
  const end = Math.min(count, rest.length);
  for (let i = 0; i < end; i++) {
    const j = i + Math.floor(random() * (rest.length - i));
    [rest[i], rest[j]] = [rest[j]!, rest[i]!];
  }
  rest.length = end;
  return rest;
}

/** Returns `interval` ± 10 %. */
export function jittered(interval: number, random: Random): number {
  return interval * (0.9 + 0.2 * random());
}
