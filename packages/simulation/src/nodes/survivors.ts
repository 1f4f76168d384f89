// The choice of the unsynced changes of a disk that survive a crash.

import type { Random } from '@trunkline/transport-core';

/**
 * Returns the changes that survive, in order. In the share `reordered` of all crashes, each change
 * survives with a probability of one half. In the share `torn`, the changes up to a random one
 * survive, and the last surviving change takes the form that `tear` returns. Otherwise no change
 * survives.
 */
export function survivors<Change>(
  changes: readonly Change[],
  { torn, reordered }: { readonly torn: number; readonly reordered: number },
  random: Random,
  tear: (change: Change, before: readonly Change[]) => Change,
): readonly Change[] {
  const happens = (share: number) => share > 0 && random() < share;
  if (changes.length === 0) return [];
  const isReordered = happens(reordered);
  const left = isReordered ? changes.filter(() => random() < 0.5) : changes;
  if (!happens(torn) || left.length === 0) return isReordered ? left : [];
  const last = Math.floor(random() * left.length);
  const before = left.slice(0, last);
  return [...before, tear(left[last]!, before)];
}
