// Promotes new addresses to tried ones, and keeps the list of tried entries to test because they
// block a promotion.

import type { AddressIndex } from './address-index.ts';
import { type KnownAddress, longestWithoutSuccess } from './known-address.ts';
import type { Placement } from './placement.ts';

/**
 * Implements test-before-evict: a tried entry is replaced only if it was dialed and did not answer.
 * The doc comment of `AddressBook` gives the reason. A row is the number of a bucket.
 */
export class Promotion {
  readonly #index: AddressIndex;
  readonly #placement: Placement;
  /** The test that is due in each tried bucket; a dial after `since` counts as that test. */
  readonly #toTest = new Map<number, { nodeId: string; since: number }>();

  constructor(index: AddressIndex, placement: Placement) {
    this.#index = index;
    this.#placement = placement;
  }

  /**
   * Promotes a new entry that a dial has reached, if its tried bucket has room or contains an entry
   * that failed a test. That entry then becomes new again. Otherwise the entry stays new until the
   * next call, and an entry of the bucket will be tested.
   */
  promote(known: KnownAddress, now: number): void {
    const row = this.#placement.triedRow(known.place);
    if (this.#index.promote(known, row)) return; // Otherwise the bucket is full.
    const incumbents = this.#index.tried.rows[row]!;
    const failed = longestWithoutSuccess(
      incumbents.filter((incumbent) => incumbent.hasFailedTest(now)),
    );
    if (failed !== undefined) {
      this.#index.replace(
        failed,
        known,
        now,
        this.#placement.newRow(failed.place.group, failed.source),
      );
      return;
    }
    this.#toTest.set(row, { nodeId: longestWithoutSuccess(incumbents)!.nodeId, since: now });
  }

  /**
   * Returns a tried entry that blocks a promotion, if there is one, and forgets that the test of
   * the entry is due.
   */
  toTest(): KnownAddress | undefined {
    for (const [row, { nodeId, since }] of this.#toTest) {
      this.#toTest.delete(row);
      const known = this.#index.get(nodeId);
      if (known?.tried && !(known.lastAttempt !== undefined && known.lastAttempt > since))
        return known;
    }
    return undefined;
  }
}
