// Where others say that a node is now that does not answer where a dial reached it: one address an id, dialled in turn with the one it has.

import type { DialMode, Place } from '../address/place.ts';
import { KnownAddress } from './known-address.ts';
import { ALTERNATIVE_WAITS, MISLED, MOST_ON_A_HOST } from './limits.ts';
import type { Placement } from './placement.ts';
import type { Shelves } from './shelves.ts';

/**
 * Hearsay takes no tried address's place, so two nodes that both moved while both were down would not meet, though others tell each where
 * the other is. What is told of a tried entry that failed since its last success is therefore kept beside it. What a liar gets of that:
 * - It is hearsay: it stands in the new buckets, by its group and its source's, has its part of their picks, and counts on its host.
 * - The address that the entry has is dialled at least every other time.
 * - The first word stays until it was dialled, five minutes at most, so that nobody pushes it out. After one dial in vain it is gone, and for
 *   a minute the group that it came from gives no other, so that others get their word in.
 * It is neither told to others nor saved.
 */
export class Alternatives {
  readonly #shelves: Shelves;
  readonly #placement: Placement;
  readonly #mostOnHost: number;

  constructor(shelves: Shelves, placement: Placement, mode: DialMode) {
    this.#shelves = shelves;
    this.#placement = placement;
    this.#mostOnHost = mode === 'public' ? MOST_ON_A_HOST : Number.POSITIVE_INFINITY;
  }

  /** Another address of a tried entry was told, which no other tried entry has. */
  offer(known: KnownAddress, place: Place, source: string, now: number): 'alternative' | 'vetted' | 'full' {
    const { nodeId, failures } = known;
    const there = this.#shelves.alternative(nodeId);
    if (there !== undefined && (this.#isTaken(there) || now - there.added > ALTERNATIVE_WAITS)) this.#drop(there, known, now);
    const { misled } = known;
    const isMisled = misled !== undefined && misled.source === source && now < misled.until;
    if (failures === 0 || isMisled || this.#shelves.alternative(nodeId) !== undefined) return 'vetted';
    if (this.#shelves.on(place.host) >= this.#mostOnHost) return 'full';
    this.#shelves.addAlternative(new KnownAddress(nodeId, place, source, now), this.#placement.newRow(place.group, source), now);
    return 'alternative';
  }

  /** The alternative of an id, if it is its turn. */
  next(nodeId: string): KnownAddress | undefined {
    const there = this.#shelves.alternative(nodeId);
    return there === undefined || this.#shelves.get(nodeId)?.dialledElsewhere || this.#isTaken(there) ? undefined : there;
  }

  /** Is it an alternative, and not the next to be dialled? */
  isOutOfTurn(known: KnownAddress): boolean {
    return this.#shelves.alternative(known.nodeId) === known && this.next(known.nodeId) !== known;
  }

  /** Who told that a node is at a place. */
  sourceOf(nodeId: string, place: Place): string | undefined {
    const there = this.#shelves.alternative(nodeId);
    return there?.address === place.key ? there.source : undefined;
  }

  attempted(nodeId: string, key: string | undefined, now: number): void {
    const there = this.#shelves.alternative(nodeId);
    if (there === undefined || there.address !== key) return;
    there.attempted(now);
    this.#shelves.get(nodeId)!.dialledElsewhere = true;
  }

  /** Is there one that may be dialled now, and could not before? */
  failed(nodeId: string, key: string | undefined, now: number): boolean {
    const there = this.#shelves.alternative(nodeId);
    const known = this.#shelves.get(nodeId);
    if (there === undefined || known === undefined) return false;
    if (there.address !== key) return known.address === key;
    this.#drop(there, known, now);
    return false;
  }

  forget(nodeId: string): void {
    const there = this.#shelves.alternative(nodeId);
    if (there !== undefined) this.#shelves.remove(there);
  }

  #drop(there: KnownAddress, known: KnownAddress, now: number): void {
    known.misled = { source: there.source, until: now + MISLED };
    this.#shelves.remove(there);
  }

  /** Is somebody else there, whom a dial reached? */
  #isTaken({ address }: KnownAddress): boolean {
    return this.#shelves.at(address)?.tried === true;
  }
}
