// Splits a large patch, because a stream has a limit for its items.

import { isObject, type Patch, type PatchValue } from './merge-patch.ts';

/** Yields a patch as items of a stream: `more` is true for all but the last. */
export function* inParts(patch: Patch): Generator<{ more: boolean; patch: Patch }, void> {
  let last: Patch | undefined;
  for (const part of splitPatch(patch)) {
    if (last !== undefined) yield { more: true, patch: last };
    last = part;
  }
  yield { more: false, patch: last! };
}

/**
 * Yields patches that together have the effect of `patch`, at least one. Each has at most `most`
 * characters of JSON, apart from the names of its outer members, unless a single list or text has
 * more.
 */
export function* splitPatch(patch: Patch, most = LONGEST): Generator<Patch, void> {
  let part: Patch = {};
  let size = 0;
  for (const [path, value, length] of pieces(patch, [], most)) {
    if (size > 0 && size + length > most) {
      yield part;
      part = {};
      size = 0;
    }
    size += length;
    let inner = part;
    // Only own members count: a node may name a member 'constructor', which every object inherits.
    for (const key of path.slice(0, -1))
      inner = (Object.hasOwn(inner, key) ? inner[key] : (inner[key] = {})) as Patch;
    inner[path.at(-1)!] = value;
  }
  yield part;
}

type Piece = readonly [path: readonly string[], value: PatchValue, length: number];

/** Yields the members of a patch, and those of members that are too long. */
function* pieces(patch: Patch, path: readonly string[], most: number): Generator<Piece, void> {
  for (const [key, value] of Object.entries(patch)) {
    const { length } = JSON.stringify(value);
    const own = [...path, key];
    if (length > most && isObject(value)) yield* pieces(value as Patch, own, most);
    else yield [own, value, length + key.length];
  }
}

/** A character takes at most 3 bytes, so such an item is below 1 MiB, the default `limits.item`. */
const LONGEST = 256 * 1_024;
