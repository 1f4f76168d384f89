// How a new address becomes a tried one, and who is tested because it stands in the way.

import { type KnownAddress, longestWithoutSuccess } from './known-address.ts';
import type { Placement } from './placement.ts';
import type { Shelves } from './shelves.ts';

/** Test-before-evict: a tried entry gives way only if it was dialled and did not answer. See the divergences of `AddressBook`. */
export class Promotion {
  readonly #shelves: Shelves;
  readonly #placement: Placement;
  /** Whose test is due since when, by the tried bucket: one in each at most. */
  readonly #toTest = new Map<number, { nodeId: string; since: number }>();

  constructor(shelves: Shelves, placement: Placement) {
    this.#shelves = shelves;
    this.#placement = placement;
  }

  /** A dial reached a new entry: it becomes a tried one, if there is room or somebody there failed a test. */
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

  /** A tried entry that stands in a newcomer's way, each once. */
  toTest(): KnownAddress | undefined {
    for (const [row, { nodeId, since }] of this.#toTest) {
      this.#toTest.delete(row);
      const known = this.#shelves.get(nodeId);
      if (known?.tried && !(known.lastAttempt !== undefined && known.lastAttempt > since)) return known;
    }
    return undefined;
  }
}
