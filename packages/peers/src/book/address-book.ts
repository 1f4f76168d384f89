// The address book: which nodes we know of, whom to dial next, and what to answer who asks. A pure
// machine.

import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { isNodeId, type Random, randomBytes } from '@trunkline/transport-core';
import { type DialMode, isDialable, type Place, placeOf } from '../address/place.ts';
import { Alternatives } from './alternatives.ts';
import { type Ban, BanList } from './ban-list.ts';
import type { BookDocument } from './book-document.ts';
import type { AddVerdict, BookAddress, BookEntry } from './book-entry.ts';
import { drawAround, drawMany, drawOne } from './draw.ts';
import { KnownAddress } from './known-address.ts';
import { BAN_TIME, ENOUGH_ADDRESSES, MOST_ON_A_HOST, MOST_OWN, NEW_BUCKETS_PER_ADDRESS } from './limits.ts';
import { Placement } from './placement.ts';
import { Promotion } from './promotion.ts';
import { restoreBook, saveBook } from './saved.ts';
import { Shelves } from './shelves.ts';

export interface AddressBookOptions {
  /** Draws the buckets' secret and all picks: give it one that others can't foresee. */
  readonly random: Random;
  /** Milliseconds of the monotonic clock that all later `now`s come from. */
  readonly now: number;
  /** What may be dialled on others' word. Default 'any'. */
  readonly mode?: DialMode;
  /** What an earlier book saved; entries in it that are odd are left out. */
  readonly saved?: BookDocument | undefined;
  /** Ids that are never told to others: see `setPrivate`. Default none. */
  readonly privateIds?: readonly string[];
  /** Our own id, which is never added. Default unknown. */
  readonly nodeId?: string | undefined;
}

/**
 * Tendermint's and CometBFT's address book, which is Bitcoin's: 'new' buckets for hearsay and
 * 'tried' ones for what a dial has reached, chosen by a keyed hash of address group and source
 * group, so that no group gets more than its quota. One address an id, one id an address. It holds
 * at most 20,480 entries, 4,096 bans; of one group (a /16) 256 tried ones, and 64 new ones for each
 * source group.
 *
 * Where it differs, and why:
 * - Times are those of a monotonic clock, and ages in the document. A wall clock that goes back
 *   would make bans endless and hearsay ever young; so the time that a node is down counts for
 *   nothing, and a ban lasts as long as the node runs.
 * - A tried entry gives way only if it was dialled after its last success, at least a minute ago,
 *   and didn't answer (test-before-evict: Heilman et al. 2015, countermeasure 3). Tendermint evicts
 *   the oldest, so an attacker whose nodes answer could wash out all others. The newcomer stays new
 *   until then, and the incumbent comes out of `toTest`.
 * - Of the tried ones each entry is as likely to be picked as any other, where Tendermint picks a
 *   bucket first: a few addresses in buckets that honest groups don't reach would get up to 64
 *   times the dials of the others. New ones are picked bucket first, as there: that way a source
 *   group's quota of buckets is its quota of picks.
 * - New entries get at most 5 % of the picks once 32 are tried. Against 1,000 honest tried entries,
 *   10,000 addresses of 100 groups then get less than 10 % of 1,000 dials, even if all of them
 *   answer and become tried.
 * - `pick` falls back on what there is. Tendermint's gives nothing when all are tried and the bias
 *   is 100.
 * - A new entry that is bad makes way for word of another address of its id, or another id at its
 *   address; there the first word stays.
 * - An id that moved is found again by `learn`, at the peer's own word over its own link; no third
 *   party can move it. What others tell of a tried one that does not answer is dialled in turn with
 *   its address, and takes its place once the node answered there: see `Alternatives`.
 * - A tried entry that failed 10 times, with no success for a week, is not told to others. There
 *   the tried ones are never bad.
 */
export class AddressBook {
  readonly #random: Random;
  readonly #mode: DialMode;
  readonly #nodeId: string | undefined;
  readonly #key: string;
  readonly #placement: Placement;
  readonly #shelves = new Shelves();
  readonly #promotion: Promotion;
  readonly #alternatives: Alternatives;
  readonly #bans = new BanList();
  readonly #own = new Set<string>();
  #private: ReadonlySet<string>;
  #news = 0;
  /** The latest time that a caller told: `select` and `unban` go by it. */
  #now: number;

  constructor(options: AddressBookOptions) {
    const { random, now, mode = 'any', saved, privateIds = [], nodeId } = options;
    if (typeof random !== 'function') throw new TypeError(`AddressBook: random: must be a function, got ${String(random)}`);
    if (!Number.isFinite(now)) throw new TypeError(`AddressBook: now: must be milliseconds, got ${String(now)}`);
    if (mode !== 'any' && mode !== 'public') throw new TypeError(`AddressBook: mode: must be 'any' or 'public', got ${JSON.stringify(mode)}`);
    if (nodeId !== undefined) checkId(nodeId, 'AddressBook: nodeId');
    this.#random = random;
    this.#now = now;
    this.#mode = mode;
    this.#nodeId = nodeId;
    this.#private = idSet(privateIds, 'AddressBook: privateIds');
    this.#key = typeof saved?.key === 'string' && isNodeId(saved.key) ? saved.key : bytesToHex(randomBytes(random, 32));
    this.#placement = new Placement(hexToBytes(this.#key));
    this.#promotion = new Promotion(this.#shelves, this.#placement);
    this.#alternatives = new Alternatives(this.#shelves, this.#placement, mode);
    if (saved !== undefined) restoreBook(saved, this.#shelves, this.#bans, this.#placement, mode, now);
    const self = nodeId === undefined ? undefined : this.#shelves.get(nodeId);
    if (self !== undefined) this.#shelves.remove(self);
  }

  /** Entries in the book. */
  get size(): number {
    return this.#shelves.size;
  }

  /** Entries that a dial has reached. */
  get tried(): number {
    return this.#shelves.tried.size;
  }

  /** Entries that are hearsay. */
  get fresh(): number {
    return this.#shelves.freshSize;
  }

  /** Another number whenever an entry has come. */
  get news(): number {
    return this.#news;
  }

  /** Are there fewer than 1,000 entries? */
  get needsMore(): boolean {
    return this.size < ENOUGH_ADDRESSES;
  }

  /**
   * Another node told of an address. `source` is who and where: give the address that we see it at,
   * not one it claims, since its group bounds how many buckets its word can fill; undefined for
   * what the operator gave. What a peer sent may be anything: never throws.
   */
  add(entry: BookAddress, source: BookAddress | undefined, now: number): AddVerdict {
    const time = this.#advance(now);
    const place = this.#placeFor(entry, source?.nodeId);
    if (typeof place === 'string') return place;
    const known = this.#shelves.get(entry.nodeId);
    if (known?.address === place.key) {
      known.seen = time;
      // The more buckets it is in, the less likely it gets into one more.
      const isOut = known.tried || known.rows.length >= NEW_BUCKETS_PER_ADDRESS || this.#random() * 2 * known.rows.length >= 1;
      if (!isOut) this.#shelves.addNew(known, this.#placement.newRow(place.group, sourceGroup(source)), time);
      return 'known';
    }
    const holder = this.#shelves.at(place.key);
    if (holder?.tried) return 'vetted';
    if (known?.tried) {
      const verdict = this.#alternatives.offer(known, place, sourceGroup(source), time);
      if (verdict === 'alternative') this.#news++;
      return verdict;
    }
    if ((known !== undefined && !known.isBad(time)) || (holder !== undefined && !holder.isBad(time))) return 'known';
    return this.#settle(entry.nodeId, place, sourceGroup(source), time) === undefined ? 'full' : 'added';
  }

  /**
   * A peer says over its own live link where it is reached. That takes the place of the address we
   * had for it, tried or not, and counts as new until a dial reaches it. An address that another id
   * holds goes to the peer, unless the holder is tried and answered within the last week: `vetted`.
   * Call it for proven ids. `seenAt` is the address that the link comes from, whose group is then
   * the source; without it, the address's own group.
   */
  learn(entry: BookAddress, now: number, seenAt?: string): AddVerdict {
    const time = this.#advance(now);
    const place = this.#placeFor(entry, undefined);
    if (typeof place === 'string') return place;
    const known = this.#shelves.get(entry.nodeId);
    if (known?.address === place.key) {
      known.seen = time;
      this.#alternatives.forget(entry.nodeId);
      return 'known';
    }
    const holder = this.#shelves.at(place.key);
    if (holder?.tried && holder.isRecent(time)) return 'vetted';
    const source = seenAt === undefined ? place.group : groupOf(seenAt);
    return this.#settle(entry.nodeId, place, source, time) === undefined ? 'full' : 'added';
  }

  /**
   * The entry to dial next, undefined if none is eligible. `bias` is how much new ones are
   * preferred, from 0 to 100 (clamped), weighed by the square roots of how many there are. If none
   * of the one sort is eligible, one of the other is taken; bad ones only if all else fails. An
   * entry with an alternative may come with that address, as a new one. `eligible` may be asked of
   * an entry more than once, must not change the book, and must not keep what it is given.
   */
  pick(bias: number, now: number, eligible?: (entry: BookEntry) => boolean): BookEntry | undefined {
    const time = this.#advance(now);
    const isEligible = (known: KnownAddress) => !this.#alternatives.isOutOfTurn(known) && (eligible === undefined || eligible(known));
    return drawOne(this.#shelves, this.#random, bias, time, isEligible)?.snapshot();
  }

  /**
   * Returns addresses to send to a peer that asks: 23 % of the book, at least 32 and at most 250,
   * in random order. With a `bias`, that percentage of them is new. Own, private, banned and bad
   * addresses are never included, nor tried ones that failed 10 times without a success for a week.
   */
  select(bias?: number): BookAddress[] {
    return drawMany(this.#shelves, this.#random, bias, (known) => this.#isTold(known) && !known.isLost(this.#now)).map(({ nodeId, address }) => ({
      nodeId,
      address,
    }));
  }

  /**
   * As `select`, where it is known who is there: those, and a quarter as many others that have not
   * failed. Else word of who is gone never ends.
   */
  selectAround(alive: Iterable<string>): BookAddress[] {
    return drawAround(this.#shelves, this.#random, alive, (known) => this.#isTold(known)).map(({ nodeId, address }) => ({ nodeId, address }));
  }

  /** What is told of a node that is there. */
  told(nodeId: string): BookAddress | undefined {
    const known = this.#shelves.get(nodeId);
    return known !== undefined && this.#isTold(known) ? { nodeId, address: known.address } : undefined;
  }

  /**
   * A dial to it begins, at its address or its alternative; at any other it is none of the book's.
   * It counts as a failure until `succeeded`.
   */
  attempted(nodeId: string, now: number, address?: string): void {
    const time = this.#advance(now);
    const known = this.#shelves.get(nodeId);
    const key = address === undefined ? known?.address : placeOf(address)?.key;
    if (known?.address === key) known?.attempted(time);
    else this.#alternatives.attempted(nodeId, key, time);
  }

  /**
   * A dial to it was in vain: if it was to its alternative, that is gone; if to its address, its
   * alternative is next.
   */
  failed(nodeId: string, address: string): void {
    if (this.#alternatives.failed(nodeId, placeOf(address)?.key, this.#now)) this.#news++;
  }

  /**
   * A dial reached it, and it proved to be that node: it is promoted to the tried ones, if there is
   * room or somebody there failed a test. An id that the book doesn't have, or has elsewhere, is
   * put down at this address, and who had the address is gone.
   */
  succeeded(nodeId: string, address: string, now: number): void {
    const time = this.#advance(now);
    let known = this.#shelves.get(nodeId);
    if (known?.address !== address && known?.address !== placeOf(address)?.key) {
      const place = this.#placeFor({ nodeId, address }, undefined);
      if (typeof place === 'string') return;
      known = this.#settle(nodeId, place, this.#alternatives.sourceOf(nodeId, place) ?? known?.source ?? place.group, time);
    }
    if (known === undefined) return;
    known.succeeded(time);
    if (!known.tried) this.#promotion.promote(known, time);
    this.#alternatives.forget(nodeId);
  }

  /** Somebody else answered there: the entry is removed. */
  mismatched(nodeId: string): void {
    this.remove(nodeId);
  }

  /**
   * Has nothing to do with an id for `time` milliseconds (default 24 hours, at most 30 days): its
   * address leaves the book and comes back as a new one at the end. A ban that lasts longer already
   * stays. Of more than 4,096 bans, the one that ends soonest ends at once.
   */
  ban(nodeId: string, now: number, time = BAN_TIME): void {
    checkId(nodeId, 'AddressBook.ban: nodeId');
    if (!(time > 0)) throw new TypeError(`AddressBook.ban: time: must be milliseconds above 0, got ${time}`);
    const start = this.#advance(now);
    const known = this.#shelves.get(nodeId);
    if (known !== undefined) this.#shelves.remove(known);
    const out = this.#bans.add({ nodeId, until: start + time, place: known?.place, source: known?.source ?? '' }, start);
    if (out !== undefined) this.#reinstate(out);
  }

  isBanned(nodeId: string, now: number): boolean {
    this.#advance(now);
    return this.#bans.get(nodeId) !== undefined;
  }

  /** Ends a ban at once; its address comes back. */
  unban(nodeId: string): void {
    const ban = this.#bans.remove(nodeId);
    if (ban !== undefined) this.#reinstate(ban);
  }

  /**
   * This address is ours, as a listener knows it or a dial found out: it leaves the book and is
   * never added.
   */
  addOwn(address: string): void {
    const place = placeOf(address);
    if (place === undefined || this.#own.has(place.key)) return;
    const [first] = this.#own;
    if (this.#own.size >= MOST_OWN) this.#own.delete(first!);
    this.#own.add(place.key);
    const holder = this.#shelves.at(place.key);
    if (holder !== undefined) this.#shelves.remove(holder);
  }

  isOwn(address: string): boolean {
    const place = placeOf(address);
    return place !== undefined && this.#own.has(place.key);
  }

  /**
   * Ids that are never told to others nor learned from them, instead of those before. What is in
   * the book of them may still be dialled.
   */
  setPrivate(ids: readonly string[]): void {
    this.#private = idSet(ids, 'AddressBook.setPrivate: ids');
  }

  /** Was there such an entry? */
  remove(nodeId: string): boolean {
    const known = this.#shelves.get(nodeId);
    if (known !== undefined) this.#shelves.remove(known);
    return known !== undefined;
  }

  /** Where a node may be that does not answer at its address: others say so. */
  alternative(nodeId: string): string | undefined {
    return this.#alternatives.next(nodeId)?.address;
  }

  get(nodeId: string): BookEntry | undefined {
    return this.#shelves.get(nodeId)?.snapshot();
  }

  /** Who is at an address, however it is spelled. */
  at(address: string): BookEntry | undefined {
    const place = placeOf(address);
    return place === undefined ? undefined : this.#shelves.at(place.key)?.snapshot();
  }

  /** All entries as they are now, the tried ones first. */
  *entries(): IterableIterator<BookEntry> {
    for (const known of [...this.#shelves.allTried(), ...this.#shelves.allNew()]) yield known.snapshot();
  }

  /**
   * A tried entry that stands in a newcomer's way: dial it, and tell how that went by `attempted`
   * and `succeeded`. Each comes out once, until the next newcomer; of each of the 64 buckets one
   * waits at most, the last found. Whoever asks every 2 minutes does as Heilman's feelers.
   */
  toTest(now: number): BookEntry | undefined {
    this.#advance(now);
    return this.#promotion.toTest()?.snapshot();
  }

  /** All that the next book needs, as plain data: see `formatBook`. */
  save(now: number): BookDocument {
    return saveBook(this.#key, this.#shelves, this.#bans, this.#advance(now));
  }

  #isTold(known: KnownAddress): boolean {
    return !this.#private.has(known.nodeId) && !known.isBad(this.#now);
  }

  /** The time, which never goes back; bans that are over by now end. */
  #advance(now: number): number {
    if (now > this.#now) this.#now = now;
    for (const ban of this.#bans.ended(this.#now)) this.#reinstate(ban);
    return this.#now;
  }

  /** The place of an address that may be added, or why it may not. */
  #placeFor(entry: BookAddress, source: string | undefined): Place | AddVerdict {
    const { nodeId, address } = entry ?? {};
    if (typeof nodeId !== 'string' || typeof address !== 'string' || !isNodeId(nodeId)) return 'malformed';
    const known = this.#shelves.get(nodeId);
    const place = known?.address === address ? known.place : placeOf(address);
    if (place === undefined) return 'malformed';
    if (nodeId === this.#nodeId || this.#own.has(place.key)) return 'own';
    if (this.#private.has(nodeId) || (source !== undefined && this.#private.has(source))) return 'private';
    if (this.#bans.get(nodeId) !== undefined) return 'banned';
    return isDialable(place, this.#mode) ? place : 'undialable';
  }

  /**
   * Puts an id down at a place as a new entry, where neither it nor another at that place stays;
   * undefined if the host is full.
   */
  #settle(nodeId: string, place: Place, source: string, now: number): KnownAddress | undefined {
    const leaving = new Set([this.#shelves.get(nodeId), this.#shelves.alternative(nodeId), this.#shelves.at(place.key)]);
    leaving.delete(undefined);
    const staying = this.#shelves.on(place.host) - [...leaving].filter((known) => known!.place.host === place.host).length;
    if (this.#mode === 'public' && staying >= MOST_ON_A_HOST) return undefined;
    for (const known of leaving) this.#shelves.remove(known!);
    const known = new KnownAddress(nodeId, place, source, now);
    this.#news++;
    this.#shelves.addNew(known, this.#placement.newRow(place.group, source), now);
    return known;
  }

  /** After its ban, an address is hearsay again; if it was taken meanwhile, it is gone. */
  #reinstate({ nodeId, place, source }: Ban): void {
    if (place === undefined || this.#shelves.at(place.key) !== undefined) return;
    if (typeof this.#placeFor({ nodeId, address: place.key }, undefined) !== 'string') this.#settle(nodeId, place, source, this.#now);
  }
}

function sourceGroup(source: BookAddress | undefined): string {
  return source === undefined ? 'self' : groupOf(source.address);
}

/** What has no place has one group. */
function groupOf(address: string): string {
  return (typeof address === 'string' ? placeOf(address)?.group : undefined) ?? '';
}

function idSet(ids: readonly string[], path: string): ReadonlySet<string> {
  for (const [i, id] of ids.entries()) checkId(id, `${path}[${i}]`);
  return new Set(ids);
}

function checkId(id: unknown, path: string): void {
  if (typeof id !== 'string' || !isNodeId(id)) throw new TypeError(`${path}: must be 64 lower-case hex digits, got ${JSON.stringify(id)}`);
}
