// Selects addresses of the book to send to other nodes, and nodes to dial by their ids.

import type { Random } from '@trunkline/transport-core';
import type { AddressIndex } from './address-index.ts';
import type { AddressRules } from './address-rules.ts';
import type { BookAddress, BookEntry } from './book-entry.ts';
import { drawAround, drawMany } from './draw.ts';
import type { KnownAddress } from './known-address.ts';

/** Selects addresses that may be sent to other nodes. */
export class AddressSelection {
  readonly #index: AddressIndex;
  readonly #rules: AddressRules;
  readonly #random: Random;

  constructor(index: AddressIndex, rules: AddressRules, random: Random) {
    this.#index = index;
    this.#rules = rules;
    this.#random = random;
  }

  /**
   * Returns addresses to send to a peer that asks: 23 % of the book, at least 32 and at most 250,
   * in random order. With a `bias`, that percentage of them is new. Own, private, banned and bad
   * addresses are never included, nor are tried addresses that have failed 10 times without a
   * success in the last week.
   */
  select(now: number, bias?: number): BookAddress[] {
    const isFit = (known: KnownAddress) => this.#isTold(known, now) && !known.isLost(now);
    return drawMany(this.#index, this.#random, bias, isFit).map(addressOf);
  }

  /**
   * Like `select`, for a caller that knows which nodes are alive: returns these nodes, and in
   * addition up to a quarter of their number of other nodes that have not failed. The result has at
   * least 32 addresses if possible, and at most 250. Without this rule, nodes would pass on the
   * addresses of dead nodes forever.
   */
  selectAround(alive: Iterable<string>, now: number): BookAddress[] {
    const isFit = (known: KnownAddress) => this.#isTold(known, now);
    return drawAround(this.#index, this.#random, alive, isFit).map(addressOf);
  }

  /**
   * Returns the entry of a node that is alive, to be sent to others; undefined if the book has no
   * entry for it that may be sent.
   */
  told(nodeId: string, now: number): BookAddress | undefined {
    const known = this.#index.get(nodeId);
    return known !== undefined && this.#isTold(known, now) ? addressOf(known) : undefined;
  }

  #isTold(known: KnownAddress, now: number): boolean {
    return !this.#rules.isPrivate(known.nodeId) && !known.isBad(now);
  }
}

/**
 * Returns at most `count` ids of nodes that fit, at random: first nodes that answered their last
 * dial, then nodes that were never dialed, then nodes whose last dial failed. `pick` returns a
 * random entry that passes a test, see `AddressBook.pick`.
 */
export function knownNodes(
  count: number,
  pick: (isEligible: (entry: BookEntry) => boolean) => BookEntry | undefined,
  isFit: (nodeId: string) => boolean,
): string[] {
  const chosen = new Set<string>();
  for (const isNext of LIKELY_FIRST) {
    while (chosen.size < count) {
      const entry = pick(
        (candidate) =>
          isNext(candidate) && !chosen.has(candidate.nodeId) && isFit(candidate.nodeId),
      );
      if (entry === undefined) break;
      chosen.add(entry.nodeId);
    }
  }
  return [...chosen];
}

function addressOf({ nodeId, address }: KnownAddress): BookAddress {
  return { nodeId, address };
}

/**
 * Tests of an entry. The first test is passed by the nodes that are most likely to be alive, the
 * last by the least likely.
 */
const LIKELY_FIRST: readonly ((entry: BookEntry) => boolean)[] = [
  ({ tried, failures }) => tried && failures === 0,
  ({ failures }) => failures === 0,
  () => true,
];
