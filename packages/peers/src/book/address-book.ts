// The address book: it knows nodes and their addresses, picks the next one to dial, and selects the
// addresses to send to peers that ask. It does no I/O, has no timers, and uses no randomness but
// the given one. `BookKeeper` owns and saves it, the driver reports to it, and the dial planner
// picks from it through `PlannerView`. Tested by the tests in this folder.

import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import type { Random } from '@trunkline/transport-core';
import { isNodeId, randomBytes } from '@trunkline/transport-core/backend';
import { parseIp } from '../address/ip.ts';
import { type DialMode, isDialable, type Place, placeOf } from '../address/place.ts';
import { addressKey } from '../dialing/targets.ts';
import { dropOldest } from '../limits.ts';
import { drawAround, drawMany, drawOne } from './address-selection.ts';
import { Alternatives } from './alternatives.ts';
import { type BookDocument, restoreBook, saveBook } from './document.ts';
import {
  AddressIndex,
  type AddVerdict,
  BAN_TIME,
  type Ban,
  BanList,
  type BookAddress,
  type BookEntry,
  ENOUGH_ADDRESSES,
  KnownAddress,
  longestWithoutSuccess,
  MOST_ON_A_HOST,
  MOST_OWN,
  NEW_BUCKETS_PER_ADDRESS,
  Placement,
} from './entries.ts';

/** Options of `AddressBook`. */
export interface AddressBookOptions {
  /**
   * The source of randomness for the secret of the buckets and for all picks. Others must not be
   * able to predict it.
   */
  readonly random: Random;
  /**
   * The current time, in milliseconds of the monotonic clock that all later `now` arguments come
   * from.
   */
  readonly now: number;
  /** The addresses that may be dialed after other nodes reported them. Default 'any'. */
  readonly mode?: DialMode;
  /**
   * Returns whether a place may be dialed after a node of the address group `source` has reported
   * it. Default: all that `mode` accepts.
   */
  readonly mayDial?: ((place: Place, source: string) => boolean) | undefined;
  /** The document that an earlier book saved. Invalid entries in it are left out. */
  readonly saved?: BookDocument | undefined;
  /** Ids that are never sent to others, see `setPrivate`. Default none. */
  readonly privateIds?: readonly string[];
  /** This node's id, which is never added. Default unknown. */
  readonly nodeId?: string | undefined;
}

/**
 * The address book of Tendermint and CometBFT, which comes from Bitcoin: 'new' buckets hold
 * addresses that were only reported, 'tried' buckets hold addresses that a dial has reached. A
 * keyed hash chooses the bucket, by address group and source group for new entries, and by address
 * and its group for tried ones, so that no group gets more than its quota. Each id has one address,
 * and each address has one id, apart from `Alternatives`. The book holds at most 20,480 entries and
 * 4,096 bans. One group (a /16) has at most 256 tried entries (four buckets), and for each source
 * group 64 new ones (one bucket).
 *
 * It differs from Tendermint in the following points:
 * - Times come from a monotonic clock, and the saved document contains ages. A wall clock that goes
 *   back would make bans endless and keep reported addresses new forever. As a consequence, time
 *   during which this node is down does not count: a ban expires only while this node is up.
 * - A newcomer takes the place of a tried entry of its bucket only if that did not answer a dial
 *   that began after its last success and at least a minute ago (test-before-evict: Heilman et al.
 *   2015, countermeasure 3).
 *   Tendermint evicts the oldest entry, so an attacker whose nodes answer could evict all others.
 *   Until the existing entry has been tested, the newcomer stays new; `toTest` returns the existing
 *   entry.
 * - Each tried entry is equally likely to be picked. Tendermint picks a bucket first, so a few
 *   addresses in buckets that honest groups do not reach would get up to 64 times the dials of the
 *   others. For new entries the bucket is picked first, as in Tendermint, so a source group's share
 *   of the buckets is also its share of the picks.
 * - New entries get at most 5 % of the picks once 32 are tried. Against 1,000 honest tried entries,
 *   10,000 addresses of 100 groups then get less than 10 % of 1,000 dials, even if all of them
 *   answer and become tried (see attack.test.ts).
 * - `pick` falls back on whatever entries exist. Tendermint's `pick` returns nothing if all entries
 *   are tried and the bias is 100.
 * - A bad new entry is replaced when others report another address for its id, or another id at its
 *   address. In Tendermint the first report stays.
 * - A node whose address has changed is found again through `learn`, when it reports its new
 *   address over its own connection. Reports of others never replace a tried address. If others
 *   report a new address for a tried node that does not answer, both addresses are dialed in turn.
 *   The new address replaces the old one once the node has answered there: see `Alternatives`.
 * - A tried entry that has failed 10 times without a success in the last week is not sent to
 *   others, unless its node is connected. In Tendermint, tried entries are never bad.
 */
export class AddressBook {
  readonly #random: Random;
  readonly #mode: DialMode;
  readonly #key: string;
  readonly #placement: Placement;
  readonly #index = new AddressIndex();
  readonly #alternatives: Alternatives;
  readonly #bans = new BanList();
  readonly #mayDial: AddressBookOptions['mayDial'];
  readonly #nodeId: string | undefined;
  /** The addresses at which this node listens or that it advertises. */
  #listening: ReadonlySet<string> = new Set();
  /** The addresses at which a dial of this node reached itself, oldest first. */
  readonly #reached = new Set<string>();
  /**
   * The test that is due in each tried bucket, by row: the number of the bucket. A dial after
   * `since` counts as that test. `#promote` sets it, and `toTest` takes it.
   */
  readonly #toTest = new Map<number, { nodeId: string; since: number }>();
  #private: ReadonlySet<string>;
  #news = 0;

  constructor(options: AddressBookOptions) {
    const { random, now, mode = 'any', mayDial, saved, privateIds = [], nodeId } = options;
    this.#random = random;
    this.#mode = mode;
    this.#mayDial = mayDial;
    this.#nodeId = nodeId;
    this.#private = new Set(privateIds);
    // A valid key is 64 hex digits, like a node id.
    this.#key =
      saved !== undefined && isNodeId(saved.key) ? saved.key : bytesToHex(randomBytes(random, 32));
    this.#placement = new Placement(hexToBytes(this.#key));
    this.#alternatives = new Alternatives(this.#index, this.#placement, mode);
    if (saved !== undefined)
      restoreBook(saved, this.#index, this.#bans, this.#placement, mode, now);
    if (nodeId !== undefined) this.remove(nodeId);
  }

  /** The number of entries in the book. */
  get size(): number {
    return this.#index.size;
  }

  /** The number of entries in tried buckets. */
  get tried(): number {
    return this.#index.triedSize;
  }

  /** The number of entries in new buckets. */
  get fresh(): number {
    return this.#index.freshSize;
  }

  /** A counter that changes whenever the book has a new address to dial. */
  get news(): number {
    return this.#news;
  }

  /** True while the book has fewer than 1,000 entries. */
  get needsMore(): boolean {
    return this.size < ENOUGH_ADDRESSES;
  }

  /**
   * Adds an address that another node reported; `AddVerdict` explains the outcomes. It accepts any
   * address and never throws; the id has been checked (see `readAddressEntry`).
   *
   * `source` is the node that reported it: pass the address at which this node sees the source, not
   * one that the source claims, because the group of that address limits the number of buckets that
   * its reports can fill.
   */
  add(entry: BookAddress, source: BookAddress, now: number): AddVerdict {
    this.#endBans(now);
    const group = groupOf(source.address);
    const place = this.#placeFor(entry, source.nodeId, group);
    if (typeof place === 'string') return place;
    const known = this.#index.get(entry.nodeId);
    if (known?.address === place.key) {
      known.seen = now;
      // An entry in n buckets is put in another one with probability 1 / 2n.
      const staysOut =
        known.tried ||
        known.rows.length >= NEW_BUCKETS_PER_ADDRESS ||
        this.#random() * 2 * known.rows.length >= 1;
      if (!staysOut) this.#index.addNew(known, this.#placement.newRow(place.group, group), now);
      return 'known';
    }
    const holder = this.#index.at(place.key);
    if (holder?.tried) return 'vetted';
    if (known?.tried) {
      const verdict = this.#alternatives.offer(known, place, group, now);
      if (verdict === 'alternative') this.#news++;
      return verdict;
    }
    if ((known !== undefined && !known.isBad(now)) || (holder !== undefined && !holder.isBad(now)))
      return 'known';
    return this.#settle(entry.nodeId, place, group, now) === undefined ? 'full' : 'added';
  }

  /**
   * Records the address that a peer reports for itself over its own live connection. On a transport
   * that only asserts ids, `Links` calls it for asserted ids, too.
   *
   * The address replaces the one that the book had for the peer, tried or not, and counts as new
   * until a dial reaches it. If another id holds the address, the peer takes the address over,
   * unless the holder is tried and answered within the last week; in that case the verdict is
   * `vetted`. `seenAt` is the address that the connection comes from, whose group is recorded as
   * the source. Without it, the source is the group of the reported address.
   */
  learn(entry: BookAddress, now: number, seenAt?: string): AddVerdict {
    this.#endBans(now);
    const group = seenAt === undefined ? undefined : groupOf(seenAt);
    const place = this.#placeFor(entry, undefined, group);
    if (typeof place === 'string') return place;
    const known = this.#index.get(entry.nodeId);
    if (known?.address === place.key) {
      known.seen = now;
      this.#alternatives.forget(entry.nodeId);
      return 'known';
    }
    const holder = this.#index.at(place.key);
    if (holder?.tried && holder.isRecent(now)) return 'vetted';
    return this.#settle(entry.nodeId, place, group ?? place.group, now) === undefined
      ? 'full'
      : 'added';
  }

  /**
   * Returns the entry to dial next, or undefined if none is eligible. `bias` is the preference for
   * new entries, from 0 to 100 (clamped), weighted by the square roots of the numbers of new and
   * tried entries. If no entry of the chosen kind is eligible, one of the other kind is taken; bad
   * entries are taken only as a last resort. An entry with an alternative may be returned with that
   * address, as a new entry. A pick is not remembered: report the dial with `attempted`.
   *
   * `eligible` may be called for an entry more than once. It must not change the book or keep its
   * argument. It may call `isBanned` with the same `now`, because no ban is left to end then.
   */
  pick(bias: number, now: number, eligible?: (entry: BookEntry) => boolean): BookEntry | undefined {
    this.#endBans(now);
    const isEligible = (known: KnownAddress) =>
      !this.#alternatives.isOutOfTurn(known) && (eligible === undefined || eligible(known));
    return drawOne(this.#index, this.#random, bias, now, isEligible)?.snapshot();
  }

  /**
   * Returns addresses to send to a peer that asks: 23 % of those that may be sent, at least 32 and
   * at most 250, in random order. With a `bias`, that percentage of them is new. Own, private,
   * banned and bad addresses are never included, nor are tried addresses that have failed 10 times
   * without a success in the last week.
   */
  select(now: number, bias?: number): BookAddress[] {
    const isFit = (known: KnownAddress) => this.#isSendable(known, now) && !known.isLost(now);
    return drawMany(this.#index, this.#random, bias, isFit).map(addressOf);
  }

  /**
   * Like `select`, for a caller that knows which nodes are alive: returns these nodes (a tried one
   * even if dials of it fail), and in addition up to a quarter of their number of other nodes that
   * have not failed. The result has at least 32 addresses if possible, and at most 250. Without
   * this rule, nodes would pass on the addresses of dead nodes forever.
   */
  selectAround(alive: Iterable<string>, now: number): BookAddress[] {
    const isFit = (known: KnownAddress) => this.#isSendable(known, now);
    return drawAround(this.#index, this.#random, alive, isFit).map(addressOf);
  }

  /**
   * Returns the entry of a node that is alive; undefined if the book has no entry for it that may
   * be sent.
   */
  sendable(nodeId: string, now: number): BookAddress | undefined {
    const known = this.#index.get(nodeId);
    return known !== undefined && this.#isSendable(known, now) ? addressOf(known) : undefined;
  }

  #isSendable(known: KnownAddress, now: number): boolean {
    return !this.#private.has(known.nodeId) && !known.isBad(now);
  }

  /**
   * Records that a dial to the node begins, at its address or its alternative; any other address is
   * ignored. The dial counts as a failure until `succeeded` or `cancelled` is called.
   */
  attempted(nodeId: string, now: number, address?: string): void {
    this.#endBans(now);
    const known = this.#index.get(nodeId);
    const key = address === undefined ? known?.address : placeOf(address)?.key;
    if (known?.address === key) known?.attempted(now);
    else this.#alternatives.attempted(nodeId, key, now);
  }

  /**
   * Records that a dial to the node failed; `attempted` has counted the failure already. A failed
   * alternative is removed; after a failure at the main address, the alternative is dialed next.
   */
  failed(nodeId: string, address: string, now: number): void {
    if (this.#alternatives.failed(nodeId, placeOf(address)?.key, now)) this.#news++;
  }

  /** Records that a dial to the node was cancelled, which says nothing about the address. */
  cancelled(nodeId: string, address: string): void {
    const key = placeOf(address)?.key;
    for (const known of [this.#index.get(nodeId), this.#index.alternative(nodeId)])
      if (known?.address === key) known?.cancelled();
  }

  /**
   * Records that a dial reached an address, where the node proved its id (or asserted it, on a
   * transport that only asserts ids). The entry is promoted to
   * tried if its bucket has room or if another entry there failed a test. If the book does not have
   * the id, or has it at another address, enters the id at this address and removes an entry of
   * another id at this address. Records nothing for an address that may not be in the book, or if
   * its host is full (public mode).
   * `seenAt` is the address that the connection leads to; for a host name, its group is recorded as
   * the source of an id that the book does not have.
   */
  succeeded(nodeId: string, address: string, now: number, seenAt?: string): void {
    this.#endBans(now);
    let known = this.#index.get(nodeId);
    // The canonical spelling, which is usual, need not be parsed.
    if (known?.address !== address && known?.address !== placeOf(address)?.key) {
      const place = this.#placeFor({ nodeId, address });
      if (typeof place === 'string') return;
      // The source is that of the alternative at this place, otherwise that of the earlier entry.
      // For a new id, it is the group of the address, or for a host name that of `seenAt`.
      known = this.#settle(
        nodeId,
        place,
        this.#alternatives.sourceOf(nodeId, place) ??
          known?.source ??
          (place.ip !== undefined || seenAt === undefined ? place.group : groupOf(seenAt)),
        now,
      );
    }
    if (known === undefined) return;
    known.succeeded(now);
    if (!known.tried) this.#promote(known, now);
    this.#alternatives.forget(nodeId);
  }

  /**
   * Bans an id for `time` milliseconds (default 24 hours, at most 30 days). Its address leaves the
   * book and returns as a new address when the ban ends. An existing ban keeps its address and is
   * never shortened. The book keeps at most 4,096 bans; one more ends the ban that is due soonest.
   */
  ban(nodeId: string, now: number, time = BAN_TIME): void {
    this.#endBans(now);
    const known = this.#index.get(nodeId);
    this.#index.remove(known);
    const out = this.#bans.add(
      { nodeId, until: now + time, place: known?.place, source: known?.source ?? '' },
      now,
    );
    if (out !== undefined) this.#reinstate(out, now);
  }

  /** Returns true while an id is banned. Like most methods, ends the bans that are over. */
  isBanned(nodeId: string, now: number): boolean {
    this.#endBans(now);
    return this.#bans.get(nodeId) !== undefined;
  }

  /** Ends a ban immediately; the address returns to the book, if it may (see `#reinstate`). */
  unban(nodeId: string, now: number): void {
    const ban = this.#bans.remove(nodeId);
    if (ban !== undefined) this.#reinstate(ban, now);
  }

  /**
   * Replaces the addresses at which this node can be reached: those of its listeners, and those
   * that it advertises. Entries at these addresses leave the book, and none is added there. An
   * alternative may stay there. It is no candidate of the dial planner, and if a persistent peer is
   * dialed there, the dial fails and removes it.
   */
  setOwn(addresses: readonly string[]): void {
    const keys = addresses.flatMap((address) => ownKey(address) ?? []);
    this.#listening = new Set(keys);
    for (const key of keys) this.#index.remove(this.#index.at(key));
  }

  /**
   * Marks an address at which this node has dialed itself as its own. The book remembers at most
   * 256 of these; beyond that, it forgets the oldest.
   */
  addOwn(address: string): void {
    const key = ownKey(address);
    if (key === undefined) return;
    this.#reached.delete(key);
    this.#reached.add(key);
    dropOldest(this.#reached, MOST_OWN);
    this.#index.remove(this.#index.at(key));
  }

  /**
   * Forgets that this node has dialed itself at an address, because the operator names it again:
   * the name may lead to another node now.
   */
  removeOwn(address: string): void {
    const key = ownKey(address);
    if (key !== undefined) this.#reached.delete(key);
  }

  isOwn(address: string): boolean {
    const key = ownKey(address);
    return key !== undefined && this.#isOwn(key);
  }

  #isOwn(key: string): boolean {
    return this.#listening.has(key) || this.#reached.has(key);
  }

  /**
   * Replaces the set of private ids. They are never sent to others. No address of such an id enters
   * the book, even if the node itself reports it, nor does an address that such a node reports.
   * Entries that the book has already may still be dialed.
   */
  setPrivate(ids: readonly string[]): void {
    this.#private = new Set(ids);
  }

  /** Removes an entry and its alternative. Returns true if it existed. */
  remove(nodeId: string): boolean {
    const known = this.#index.get(nodeId);
    this.#index.remove(known);
    return known !== undefined;
  }

  /**
   * Returns the alternative address of a node that does not answer at its own, if others reported
   * one and it is next to be dialed.
   */
  alternative(nodeId: string): string | undefined {
    return this.#alternatives.next(nodeId)?.address;
  }

  /** Returns the source of an address that the book has for a node, as one of its two addresses. */
  sourceOf(nodeId: string, place: Place): string | undefined {
    const known = this.#index.get(nodeId);
    return known?.address === place.key ? known.source : this.#alternatives.sourceOf(nodeId, place);
  }

  get(nodeId: string): BookEntry | undefined {
    return this.#index.get(nodeId)?.snapshot();
  }

  /** Returns the entry at an address, in any spelling of the address. */
  at(address: string): BookEntry | undefined {
    const place = placeOf(address);
    return place === undefined ? undefined : this.#index.at(place.key)?.snapshot();
  }

  /** The entries at the first step, tried ones first, each as it is when it is yielded. */
  *entries(): IterableIterator<BookEntry> {
    for (const known of [...this.#index.allTried(), ...this.#index.allNew()])
      yield known.snapshot();
  }

  /**
   * Takes a tried entry that blocks a newcomer's promotion. Dial it, and report the outcome with
   * `attempted` and `succeeded`. Each promotion that fails asks for one test. For each of the 64
   * buckets, at most one entry waits for a test: the last one found. The dial planner calls this
   * at most every 10 seconds; the feeler connections of Heilman et al. come every 2 minutes.
   */
  toTest(now: number): BookEntry | undefined {
    this.#endBans(now);
    for (const [row, { nodeId, since }] of this.#toTest) {
      this.#toTest.delete(row);
      const known = this.#index.get(nodeId);
      if (known?.tried && !(known.lastAttempt !== undefined && known.lastAttempt > since))
        return known.snapshot();
    }
    return undefined;
  }

  /** Returns, as plain data, everything that the next book needs; see `formatBook`. */
  save(now: number): BookDocument {
    this.#endBans(now);
    return saveBook(this.#key, this.#index, this.#bans, now);
  }

  /**
   * Returns the place of an address that may be added, or the reason why it may not. `source` is
   * the id of the node that reported it, and `group` its address group; without a group, the
   * address is not judged by it.
   */
  #placeFor(entry: BookAddress, source?: string, group?: string): Place | AddVerdict {
    const { nodeId, address } = entry;
    const known = this.#index.get(nodeId);
    const place = known?.address === address ? known.place : placeOf(address);
    if (place === undefined) return 'malformed';
    if (nodeId === this.#nodeId || this.#isOwn(place.key)) return 'own';
    if (this.#private.has(nodeId) || (source !== undefined && this.#private.has(source)))
      return 'private';
    if (this.#bans.get(nodeId) !== undefined) return 'banned';
    return isDialable(place, this.#mode) &&
      (group === undefined || this.#mayDial?.(place, group) !== false)
      ? place
      : 'undialable';
  }

  /**
   * Ends the bans that are over, which returns their addresses to the book; most methods begin with
   * it. The queries of addresses to send don't: an address whose ban is over is sent only after
   * another call has returned it to the book.
   */
  #endBans(now: number): void {
    for (const ban of this.#bans.ended(now)) this.#reinstate(ban, now);
  }

  /**
   * Enters an id at a place as a new entry, and removes the earlier entries of that id and of that
   * place. Alternatives of other ids at that place stay. Returns undefined, and changes nothing, if
   * the host is full (in public mode only).
   */
  #settle(nodeId: string, place: Place, source: string, now: number): KnownAddress | undefined {
    const leaving = new Set([
      this.#index.get(nodeId),
      this.#index.alternative(nodeId),
      this.#index.at(place.key),
    ]);
    const staying =
      this.#index.on(place.host) -
      [...leaving].filter((known) => known?.place.host === place.host).length;
    if (this.#mode === 'public' && staying >= MOST_ON_A_HOST) return undefined;
    for (const known of leaving) this.#index.remove(known);
    const known = new KnownAddress(nodeId, place, source, now);
    this.#news++;
    this.#index.addNew(known, this.#placement.newRow(place.group, source), now);
    return known;
  }

  /**
   * Promotes a new entry that a dial has reached, if its tried bucket has room or contains an entry
   * that failed a test (test-before-evict). That entry then becomes new again. Otherwise the entry
   * stays new until the next call, and an entry of the bucket will be tested.
   */
  #promote(known: KnownAddress, now: number): void {
    const row = this.#placement.triedRow(known.place);
    if (this.#index.promote(known, row)) return; // Otherwise the bucket is full.
    const incumbents = this.#index.tried[row]!;
    const failed = longestWithoutSuccess(
      incumbents.filter((incumbent) => incumbent.hasFailedTest(now)),
    );
    if (failed === undefined)
      this.#toTest.set(row, { nodeId: longestWithoutSuccess(incumbents)!.nodeId, since: now });
    else
      this.#index.replace(
        failed,
        known,
        now,
        this.#placement.newRow(failed.place.group, failed.source),
      );
  }

  /**
   * Returns an address to the new entries after its ban. It is dropped if another entry has taken
   * the address meanwhile, or if the address may no longer be in the book.
   */
  #reinstate({ nodeId, place, source }: Ban, now: number): void {
    if (place === undefined || this.#index.at(place.key) !== undefined) return;
    if (typeof this.#placeFor({ nodeId, address: place.key }) !== 'string')
      this.#settle(nodeId, place, source, now);
  }
}

/**
 * Returns the canonical form of an own address, which may be one that the book can't hold, such as
 * the path of a socket.
 */
function ownKey(address: string): string | undefined {
  return placeOf(address)?.key ?? addressKey(address);
}

function addressOf({ nodeId, address }: KnownAddress): BookAddress {
  return { nodeId, address };
}

/**
 * Returns the group of an address; all invalid addresses share the group ''. `BookKeeper.open`
 * passes a group that another book recorded. A group stays as it is, except that 'local:80' becomes
 * 'local' and 'tor:3' becomes 'tor'.
 */
function groupOf(address: string): string {
  return placeOf(address)?.group ?? (parseIp(address) === undefined ? '' : address);
}
