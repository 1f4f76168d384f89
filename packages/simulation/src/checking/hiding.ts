// Computes the time from which a write can no longer be seen, regardless of the order in which
// operations took effect.

import type { Effect } from './effect.ts';

/**
 * Returns a function that takes the time at which a write returned, and returns the time from which
 * its value is hidden forever: by then, a later write, which was called after the first one had
 * returned, has itself returned. `effects` are in order of call.
 */
export function hiding(effects: readonly Effect[]): (returned: number) => number {
  const writes = effects.filter((effect) => effect.certain && effect.writes);
  const earliest: number[] = [];
  for (let i = writes.length - 1, least = Number.POSITIVE_INFINITY; i >= 0; i--)
    earliest[i] = least = Math.min(least, writes[i]!.returned);
  return (returned) => {
    let low = 0;
    for (let high = writes.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (writes[middle]!.called > returned) high = middle;
      else low = middle + 1;
    }
    return earliest[low] ?? Number.POSITIVE_INFINITY;
  };
}
