// Selects nodes of the book for a peer that looks for others: a few at random, those first that are
// likely to be alive.

import type { AddressBook } from './address-book.ts';
import type { BookEntry } from './book-entry.ts';

/**
 * Returns at most `count` node ids that fit. Nodes that answered their last dial come first, then
 * nodes that were never dialed, then nodes whose last dial failed.
 */
export function knownNodes(
  book: AddressBook,
  count: number,
  now: number,
  isFit: (nodeId: string) => boolean,
): string[] {
  const chosen = new Set<string>();
  for (const isNext of LIKELY_FIRST) {
    while (chosen.size < count) {
      const entry = book.pick(
        0,
        now,
        (candidate) =>
          isNext(candidate) && !chosen.has(candidate.nodeId) && isFit(candidate.nodeId),
      );
      if (entry === undefined) break;
      chosen.add(entry.nodeId);
    }
  }
  return [...chosen];
}

const LIKELY_FIRST: readonly ((entry: BookEntry) => boolean)[] = [
  ({ tried, failures }) => tried && failures === 0,
  ({ failures }) => failures === 0,
  () => true,
];
