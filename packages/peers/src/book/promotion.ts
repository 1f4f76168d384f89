// Promotes new addresses to tried ones, and keeps the list of tried entries to test because they
// block a promotion.

import { type KnownAddress, longestWithoutSuccess } from './known-address.ts';
import type { Placement } from './placement.ts';
import type { Shelves } from './shelves.ts';

/**
 * Implements test-before-evict: a tried entry gives way only if it was dialed and did not answer.
 * See the differences listed at `AddressBook`.
 */
export class Promotion {
  readonly #shelves: Shelves;
  readonly #placement: Placement;
  /** The test that is due in each tried bucket, at most one, and since when. */
  readonly #toTest = new Map<number, { nodeId: string; since: number }>();

  constructor(shelves: Shelves, placement: Placement) {
    this.#shelves = shelves;
    this.#placement = placement;
  }

  /**
   * Promotes a new entry that a dial has reached, if its bucket has room or another entry there
   * failed a test.
   */
  promote(known: KnownAddress, now: number): void {
    const row = this.#placement.triedRow(known.place);
    if (this.#shelves.promote(known, row)) return;
    const incumbents = this.#shelves.tried.rows[row]!;
    const failed = longestWithoutSuccess(incumbents.filter((incumbent) => incumbent.hasFailedTest(now)));
    if (failed !== undefined) {
      this.#shelves.replace(failed, known, now, this.#placement.newRow(failed.place.group, failed.source));
      return;
    }
    this.#toTest.set(row, { nodeId: longestWithoutSuccess(incumbents)!.nodeId, since: now });
  }

  /** Returns a tried entry that blocks a newcomer's promotion, each once. */
  toTest(): KnownAddress | undefined {
    for (const [row, { nodeId, since }] of this.#toTest) {
      this.#toTest.delete(row);
      const known = this.#shelves.get(nodeId);
      if (known?.tried && !(known.lastAttempt !== undefined && known.lastAttempt > since)) return known;
    }
    return undefined;
  }
}
