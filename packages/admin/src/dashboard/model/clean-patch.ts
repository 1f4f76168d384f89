// Cleans all texts of a patch before the page sees them, because they come from nodes and their
// peers.

import { cleanText } from '@trunkline/transport-core/backend';
import type { Patch, PatchValue } from '../../state/merge-patch.ts';

/** A patch with clean texts, and the number of values in it. */
export interface CleanPatch {
  readonly patch: Patch;
  /**
   * The number of numbers, texts, lists and objects in the patch: a measure of the memory that the
   * patch takes.
   */
  readonly values: number;
}

/**
 * Returns a copy of a patch in which no text or key contains control characters or marks that
 * change the writing direction, or is longer than 1 KiB.
 */
export function cleanPatch(patch: Patch): CleanPatch {
  let values = 0;
  const clean = (value: PatchValue): PatchValue => {
    values++;
    if (typeof value === 'string') return cleanText(value);
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((each) => clean(each)) as PatchValue;
    const result: Patch = {};
    for (const [key, inner] of Object.entries(value))
      if (key !== '__proto__') result[cleanText(key)] = clean(inner as PatchValue);
    return result;
  };
  return { patch: clean(patch) as Patch, values };
}
