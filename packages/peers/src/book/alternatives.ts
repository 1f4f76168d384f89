// Alternative addresses. When a tried node does not answer at its address, another address that
// others report for it is kept as well, and the two are dialed in turn. The address book owns them;
// the entries themselves are in its index. Tested in alternatives.test.ts.

import type { DialMode, Place } from '../address/place.ts';
import { type AddressIndex, KnownAddress, MOST_ON_A_HOST, type Placement } from './entries.ts';

/**
 * Keeps at most one alternative address for each id. A report never replaces a tried address. So
 * without alternatives, two nodes that both changed their addresses while they were down would not
 * meet, even if others reported to each of them the new address of the other. Therefore an address
 * reported for a tried entry that has failed since its last success is kept in addition to that
 * entry. A peer that reports false addresses gains little from this:
 * - An alternative is a new address: it is placed in the new buckets by its group and its source's
 *   group, shares their picks, and counts for its host.
 * - The entry's own address is dialed at least every other time.
 * - The first report stays until its address has been dialed, so that nobody can replace it. After
 *   one failed dial it is removed, and after five minutes without a dial another report may
 *   replace it. For a minute after either, the group that reported it may not report another one,
 *   so that other groups get a chance.
 *
 * Alternatives are neither sent to others nor saved.
 */
export class Alternatives {
  readonly #index: AddressIndex;
  readonly #placement: Placement;
  readonly #mostOnHost: number;

  constructor(index: AddressIndex, placement: Placement, mode: DialMode) {
    this.#index = index;
    this.#placement = placement;
    this.#mostOnHost = mode === 'public' ? MOST_ON_A_HOST : Number.POSITIVE_INFINITY;
  }

  /**
   * Offers another address of a tried entry. The caller has checked that no other tried entry has
   * that address.
   */
  offer(
    known: KnownAddress,
    place: Place,
    source: string,
    now: number,
  ): 'alternative' | 'vetted' | 'full' {
    const { nodeId, failures } = known;
    const there = this.#index.alternative(nodeId);
    if (there !== undefined && (this.#isTaken(there) || now - there.added > WAITS))
      this.#drop(there, known, now);
    const { misled } = known;
    const isMisled = misled !== undefined && misled.source === source && now < misled.until;
    if (failures === 0 || isMisled || this.#index.alternative(nodeId) !== undefined)
      return 'vetted';
    if (this.#index.on(place.host) >= this.#mostOnHost) return 'full';
    this.#index.addAlternative(
      new KnownAddress(nodeId, place, source, now),
      this.#placement.newRow(place.group, source),
      now,
    );
    return 'alternative';
  }

  /**
   * Returns the alternative of an id if it is the next address to dial. The flag `dialedElsewhere`
   * alternates the turns.
   */
  next(nodeId: string): KnownAddress | undefined {
    const there = this.#index.alternative(nodeId);
    return there === undefined || this.#index.get(nodeId)?.dialedElsewhere || this.#isTaken(there)
      ? undefined
      : there;
  }

  /** Returns true if the item is an alternative but not the next address to dial. */
  isOutOfTurn(known: KnownAddress): boolean {
    return this.#index.alternative(known.nodeId) === known && this.next(known.nodeId) !== known;
  }

  /** Returns the source of an id's alternative, if that is at this place. */
  sourceOf(nodeId: string, place: Place): string | undefined {
    const there = this.#index.alternative(nodeId);
    return there?.address === place.key ? there.source : undefined;
  }

  /** Records that a dial begins if it goes to the alternative; the node's own address is next. */
  attempted(nodeId: string, key: string | undefined, now: number): void {
    const there = this.#index.alternative(nodeId);
    if (there === undefined || there.address !== key) return;
    there.attempted(now);
    this.#index.get(nodeId)!.dialedElsewhere = true;
  }

  /**
   * Handles a failed dial. Returns true if the node's own address failed and it has an alternative,
   * whose turn it is now.
   */
  failed(nodeId: string, key: string | undefined, now: number): boolean {
    const there = this.#index.alternative(nodeId);
    const known = this.#index.get(nodeId);
    if (there === undefined || known === undefined) return false;
    if (there.address !== key) return known.address === key;
    // The alternative itself failed, so it is removed.
    this.#drop(there, known, now);
    return false;
  }

  /** Removes an alternative because the node's own address is right. */
  forget(nodeId: string): void {
    this.#index.remove(this.#index.alternative(nodeId));
  }

  /** Removes an alternative that was of no use. */
  #drop(there: KnownAddress, known: KnownAddress, now: number): void {
    known.misled = { source: there.source, until: now + MISLED };
    this.#index.remove(there);
  }

  /** Returns true if the address belongs to another node that a dial has reached. */
  #isTaken({ address }: KnownAddress): boolean {
    return this.#index.at(address)?.tried === true;
  }
}

/**
 * Milliseconds that an alternative address may wait for its dial. An alternative that is not dialed
 * by then (because its address is backing off, or is one that the operator named) makes room for
 * another. The value is our choice.
 */
const WAITS = 300_000;
/**
 * Milliseconds for which a group may not report another alternative for a node after its last one
 * failed. Our choice: two rounds of exchange, so that other groups get a chance.
 */
const MISLED = 60_000;
