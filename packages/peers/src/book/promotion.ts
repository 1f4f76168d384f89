// Promotes new addresses to tried ones, and keeps the list of tried entries to test because they
// block a promotion.

import type { AddressIndex } from './address-index.ts';
import { type KnownAddress, longestWithoutSuccess } from './known-address.ts';
import type { Placement } from './placement.ts';

/**
 * Implements test-before-evict: a tried entry gives way only if it was dialed and did not answer.
 * See the differences listed at `AddressBook`.
 */
export class Promotion {
  readonly #index: AddressIndex;
  readonly #placement: Placement;
  /** The test that is due in each tried bucket, at most one, and since when. */
  readonly #toTest = new Map<number, { nodeId: string; since: number }>();

  constructor(index: AddressIndex, placement: Placement) {
    this.#index = index;
    this.#placement = placement;
  }

  /**
   * Promotes a new entry that a dial has reached, if its bucket has room or another entry there
   * failed a test.
   */
  promote(known: KnownAddress, now: number): void {
    const row = this.#placement.triedRow(known.place);
    if (this.#index.promote(known, row)) return;
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

  /** Returns a tried entry that blocks a newcomer's promotion, each once. */
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
