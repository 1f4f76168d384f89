// The storage of the address book: its entries and their indexes, the banned ids, the choice of
// buckets, and the book's constants and types. 'Fresh' means new (not tried), and a row is the
// number of a bucket. Only the files of this folder change it. Tested through the book, and in
// placement.test.ts.

import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Place } from '../address/place.ts';

/** The entries of the address book by bucket, id, address and host; keeps these consistent. */
export class AddressIndex {
  /**
   * The buckets. Their entries keep the order of arrival, so that a book that is read from a
   * document draws the same entries as the book that wrote it (if that had no alternatives).
   */
  readonly fresh = buckets(NEW_BUCKETS);
  readonly tried = buckets(TRIED_BUCKETS);
  readonly #byId = new Map<string, KnownAddress>();
  readonly #byKey = new Map<string, KnownAddress>();
  /**
   * Second addresses of ids. They are in the new buckets and count for their hosts, but can't be
   * found by id or address.
   */
  readonly #alternatives = new Map<string, KnownAddress>();
  readonly #hosts = new Map<string, number>();

  get size(): number {
    return this.#byId.size;
  }

  get triedSize(): number {
    return this.tried.reduce((size, bucket) => size + bucket.length, 0);
  }

  /** The number of new entries. Each may be in several buckets. */
  get freshSize(): number {
    return this.size - this.triedSize;
  }

  get(nodeId: string): KnownAddress | undefined {
    return this.#byId.get(nodeId);
  }

  alternative(nodeId: string): KnownAddress | undefined {
    return this.#alternatives.get(nodeId);
  }

  /** The number of items that can be drawn from the new buckets: new entries and alternatives. */
  get pickableNewSize(): number {
    return this.freshSize + this.#alternatives.size;
  }

  at(key: string): KnownAddress | undefined {
    return this.#byKey.get(key);
  }

  /** The number of entries and alternatives on a host. */
  on(host: string): number {
    return this.#hosts.get(host) ?? 0;
  }

  /**
   * Returns the tried entries in bucket order, which stays the same when a book is saved and read
   * again.
   */
  allTried(): KnownAddress[] {
    // Each draw calls this, and `flat` takes 20 times as long.
    return ([] as KnownAddress[]).concat(...this.tried);
  }

  /** Returns the new entries in bucket order, each once, without alternatives. */
  allNew(): KnownAddress[] {
    return [...new Set(this.fresh.flat())].filter(
      (known) => this.#byId.get(known.nodeId) === known,
    );
  }

  /**
   * Puts a new entry in a bucket, unless it is there already. A full bucket first loses a bad entry
   * or, if no entry is bad, the entry that was added or attempted longest ago.
   */
  addNew(known: KnownAddress, row: number, now: number): void {
    if (known.rows.includes(row)) return;
    if (isFull(this.fresh[row]!)) this.#expire(row, now);
    this.#put(known, row);
  }

  /** Puts a second address of a tried entry in a new bucket. */
  addAlternative(known: KnownAddress, row: number, now: number): void {
    this.#alternatives.set(known.nodeId, known);
    this.#countHost(known.place.host);
    this.addNew(known, row, now);
  }

  /** Like `addNew`, but does nothing if the bucket is full. */
  putNew(known: KnownAddress, row: number): void {
    if (!known.rows.includes(row) && !isFull(this.fresh[row]!)) this.#put(known, row);
  }

  /**
   * Moves a new entry, or one that is not stored yet, to a tried bucket. Returns false if that
   * bucket is full.
   */
  promote(known: KnownAddress, row: number): boolean {
    if (isFull(this.tried[row]!)) return false;
    this.#clear(known);
    known.tried = true;
    this.#put(known, row);
    return true;
  }

  /** Promotes an entry to the bucket of a tried entry, which moves to the new bucket `newRow`. */
  replace(incumbent: KnownAddress, known: KnownAddress, now: number, newRow: number): void {
    const [row] = incumbent.rows;
    this.#clear(incumbent);
    incumbent.tried = false;
    this.promote(known, row!);
    this.addNew(incumbent, newRow, now);
  }

  /** Removes an entry, with its alternative, or an alternative. */
  remove(known: KnownAddress | undefined): void {
    if (known === undefined) return;
    this.#clear(known);
    const alternative = this.#alternatives.get(known.nodeId);
    if (alternative === known) this.#alternatives.delete(known.nodeId);
    else if (this.#byId.get(known.nodeId) !== known) return;
    else {
      this.#byId.delete(known.nodeId);
      this.#byKey.delete(known.address);
      this.remove(alternative);
    }
    const left = this.on(known.place.host) - 1;
    if (left > 0) this.#hosts.set(known.place.host, left);
    else this.#hosts.delete(known.place.host);
  }

  #put(known: KnownAddress, row: number): void {
    this.#bucket(known, row).push(known);
    known.rows.push(row);
    // An entry that moves is indexed already; an alternative, whose id has an entry, never is.
    if (this.#byId.has(known.nodeId)) return;
    this.#byId.set(known.nodeId, known);
    this.#byKey.set(known.address, known);
    this.#countHost(known.place.host);
  }

  #countHost(host: string): void {
    this.#hosts.set(host, this.on(host) + 1);
  }

  /** Takes an entry out of all its buckets. */
  #clear(known: KnownAddress): void {
    for (const row of known.rows.splice(0)) takeOut(this.#bucket(known, row), known);
  }

  #bucket({ tried }: KnownAddress, row: number): KnownAddress[] {
    return (tried ? this.tried : this.fresh)[row]!;
  }

  #expire(row: number, now: number): void {
    const bucket = this.fresh[row]!;
    const going =
      bucket.find((known) => known.isBad(now)) ??
      bucket.reduce((oldest, known) => (lastMoved(known) < lastMoved(oldest) ? known : oldest));
    takeOut(bucket, going);
    takeOut(going.rows, row);
    if (going.rows.length === 0) this.remove(going);
  }
}

function lastMoved(known: KnownAddress): number {
  return Math.max(known.added, known.lastAttempt ?? known.added);
}

/** Returns this number of buckets, which take at most `BUCKET_SIZE` entries each. */
function buckets(count: number): readonly KnownAddress[][] {
  return Array.from({ length: count }, () => []);
}

function isFull(bucket: readonly KnownAddress[]): boolean {
  return bucket.length >= BUCKET_SIZE;
}

/** Removes an item of a list. */
function takeOut<T>(list: T[], item: T): void {
  list.splice(list.indexOf(item), 1);
}

// One entry of the address book: an address, its node, the source that reported it, and the history
// of its dials. All times come from the book's monotonic clock. Only `AddressIndex` changes `tried`
// and `rows`.

/** The book's internal form of an entry, updated as dials succeed or fail. */
export class KnownAddress {
  readonly nodeId: string;
  readonly place: Place;
  /** The address group of the node that reported it; see `BookEntry`. */
  readonly source: string;
  /** Time at which the entry came into the book. */
  readonly added: number;
  /** Time at which the address was last reported to this node. */
  seen: number;
  failures = 0;
  lastAttempt: number | undefined = undefined;
  lastSuccess: number | undefined = undefined;
  tried = false;
  /** True if its node was last dialed at its alternative address: see `Alternatives`. */
  dialedElsewhere = false;
  /**
   * The group whose alternative failed or was dropped last, and the time until which it may not
   * report another alternative.
   */
  misled: { readonly source: string; readonly until: number } | undefined = undefined;
  /** The buckets the entry is in: exactly one if tried, 1 to 4 if new. */
  readonly rows: number[] = [];

  constructor(nodeId: string, place: Place, source: string, added: number) {
    this.nodeId = nodeId;
    this.place = place;
    this.source = source;
    this.added = added;
    this.seen = added;
  }

  get address(): string {
    return this.place.key;
  }

  /** Records that a dial begins. It counts as a failure until it succeeds or is cancelled. */
  attempted(now: number): void {
    this.lastAttempt = now;
    this.dialedElsewhere = false;
    this.failures = Math.min(this.failures + 1, 1_000_000);
  }

  /** Records that a dial was cancelled: it no longer counts as a failure. */
  cancelled(): void {
    this.failures = Math.max(0, this.failures - 1);
  }

  succeeded(now: number): void {
    this.lastAttempt = now;
    this.lastSuccess = now;
    this.failures = 0;
  }

  /**
   * Returns whether the entry is bad, by Tendermint's isBad: it is new, without an attempt in the
   * last minute, and one of:
   * - neither a report nor an attempt for a week (Tendermint counts from the last attempt, and a
   *   note in its code says that it should not)
   * - 3 failures without any success
   * - 10 failures without a success in the last week
   */
  isBad(now: number): boolean {
    if (this.tried || (this.lastAttempt !== undefined && now - this.lastAttempt < ATTEMPT_TIME))
      return false;
    if (now - Math.max(this.seen, this.lastAttempt ?? this.seen) > VANISHED) return true;
    return (
      (this.lastSuccess === undefined && this.failures >= FAILURES_AT_FIRST) || this.isLost(now)
    );
  }

  /**
   * Returns true if the entry has failed 10 times without a success in the last week. A tried
   * address may be lost without being bad.
   */
  isLost(now: number): boolean {
    return this.failures >= FAILURES_AT_MOST && !this.isRecent(now);
  }

  /** Returns whether there was a success in the last week. */
  isRecent(now: number): boolean {
    return this.lastSuccess !== undefined && now - this.lastSuccess <= SUCCESS_HOLDS;
  }

  /**
   * Returns true if a dial has failed since the last success and the last one began at least a
   * minute ago. A tried entry that failed can be replaced by a newcomer (see `AddressBook`).
   */
  hasFailedTest(now: number): boolean {
    return this.failures > 0 && now - (this.lastAttempt ?? now) >= ATTEMPT_TIME;
  }

  /** Returns the entry as it is now; callers may keep it. */
  snapshot(): BookEntry {
    const { nodeId, address, tried, failures, lastAttempt, lastSuccess, source } = this;
    return Object.freeze({ nodeId, address, tried, failures, lastAttempt, lastSuccess, source });
  }
}

/**
 * Returns the first entry without any success or, if there is none, the entry whose last success is
 * the oldest. Returns undefined if there are no entries.
 */
export function longestWithoutSuccess(entries: readonly KnownAddress[]): KnownAddress | undefined {
  let longest = entries[0];
  for (const entry of entries)
    if ((entry.lastSuccess ?? -Infinity) < (longest?.lastSuccess ?? -Infinity)) longest = entry;
  return longest;
}

// The banned ids, together with the addresses that return to the book when their bans end.

/** A banned id. */
export interface Ban {
  readonly nodeId: string;
  /** Time at which the ban ends, by the caller's clock. */
  readonly until: number;
  /** The address that the book had for the id, and the group of the node that reported it. */
  readonly place: Place | undefined;
  readonly source: string;
}

/** The banned ids, at most `MOST_BANS`. */
export class BanList {
  readonly #bans = new Map<string, Ban>();
  /** Time before which no ban ends. It may be too early after a change; `ended` corrects it. */
  #soonest = Infinity;

  get(nodeId: string): Ban | undefined {
    return this.#bans.get(nodeId);
  }

  all(): Iterable<Ban> {
    return this.#bans.values();
  }

  /**
   * Bans an id. An existing ban is never shortened, and a ban without a place keeps that of the
   * existing one. If the list was full, returns the ban that had to end.
   */
  add(ban: Ban, now: number): Ban | undefined {
    const had = this.#bans.get(ban.nodeId);
    const out = had === undefined && this.#bans.size >= MOST_BANS ? this.#endSoonest() : undefined;
    const until = Math.min(Math.max(ban.until, had?.until ?? ban.until), now + LONGEST_BAN);
    const { place, source } = ban.place === undefined && had !== undefined ? had : ban;
    this.#bans.set(ban.nodeId, { nodeId: ban.nodeId, until, place, source });
    this.#soonest = Math.min(this.#soonest, until);
    return out;
  }

  remove(nodeId: string): Ban | undefined {
    const ban = this.#bans.get(nodeId);
    this.#bans.delete(nodeId);
    return ban;
  }

  /** Removes and returns the bans that are over. */
  ended(now: number): Ban[] {
    if (now < this.#soonest) return [];
    const over = [...this.#bans.values()].filter((ban) => ban.until <= now);
    for (const ban of over) this.#bans.delete(ban.nodeId);
    this.#soonest = Infinity;
    for (const ban of this.#bans.values()) this.#soonest = Math.min(this.#soonest, ban.until);
    return over;
  }

  #endSoonest(): Ban {
    let [first] = this.#bans.values();
    for (const ban of this.#bans.values()) if (ban.until < first!.until) first = ban;
    this.#bans.delete(first!.nodeId);
    return first!;
  }
}

// Chooses the bucket of an address by a hash with a secret key, so that no other node can fill the
// buckets of its choice.

/**
 * Bitcoin's two-step placement, as in Tendermint: the first hash chooses one of a group's few
 * slots, and the second maps the slot to a bucket.
 */
export class Placement {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** Returns hash(key, source group, hash(key, group, source group) mod 32) mod 256. */
  newRow(group: string, source: string): number {
    const slot = this.#hash('new slot', group, source) % NEW_BUCKETS_PER_SOURCE_GROUP;
    return this.#hash('new', source, String(slot)) % NEW_BUCKETS;
  }

  /** Returns hash(key, group, hash(key, address) mod 4) mod 64. */
  triedRow(place: Place): number {
    const slot = this.#hash('tried slot', place.key) % TRIED_BUCKETS_PER_GROUP;
    return this.#hash('tried', place.group, String(slot)) % TRIED_BUCKETS;
  }

  /**
   * Returns the first 32 bits of SHA-256. Addresses and groups contain no line feed (except in a
   * forged document), so two different lists of parts never give the same hash input.
   */
  #hash(...parts: string[]): number {
    const digest = sha256(concatBytes(this.#key, utf8ToBytes(parts.join('\n'))));
    return new DataView(digest.buffer, digest.byteOffset).getUint32(0);
  }
}

// The constants of the address book. Unless stated otherwise, the values are those of Tendermint
// and CometBFT (p2p/pex/params.go), most of which come from Bitcoin.

/** Number of buckets for new addresses, which others reported. */
const NEW_BUCKETS = 256;
/** Number of buckets for tried addresses, which a dial has reached. */
const TRIED_BUCKETS = 64;
/**
 * Maximum number of addresses in one bucket of either kind. In all, there are at most 16,384 new
 * and 4,096 tried addresses.
 */
const BUCKET_SIZE = 64;
/** Number of new buckets that the addresses reported by one source group can reach. */
const NEW_BUCKETS_PER_SOURCE_GROUP = 32;
/** Number of tried buckets that the addresses of one group can reach. */
const TRIED_BUCKETS_PER_GROUP = 4;
/** Maximum number of new buckets that one address can be in. */
export const NEW_BUCKETS_PER_ADDRESS = 4;

/** Number of addresses below which the book asks for more. */
export const ENOUGH_ADDRESSES = 1_000;
/** Size of an answer, in percent of the book. */
export const ANSWER_PERCENT = 23;
/** Minimum number of addresses in an answer, if the book has that many. */
export const SHORTEST_ANSWER = 32;
/** Maximum number of addresses in an answer. */
export const LONGEST_ANSWER = 250;

const DAY = 86_400_000;
/**
 * Milliseconds for which an attempt may still be in progress: until then the address is not bad and
 * has not failed its test. Bitcoin uses the same value.
 */
const ATTEMPT_TIME = 60_000;
/**
 * Time, in milliseconds, after which an address that nobody reports any more counts as vanished.
 */
const VANISHED = 7 * DAY;
/** Number of failures without any success after which an address is bad. */
const FAILURES_AT_FIRST = 3;
/**
 * Number of failures after which an address is bad if its last success is older than
 * `SUCCESS_HOLDS`.
 */
const FAILURES_AT_MOST = 10;
/** Milliseconds for which a success is taken into account. */
const SUCCESS_HOLDS = 7 * DAY;

/** Default duration of a ban, in milliseconds. */
export const BAN_TIME = DAY;
/**
 * Maximum duration of a ban, in milliseconds, no matter what a caller or a document says. The value
 * is our choice; it makes a wrong ban from a corrupt file end eventually.
 */
export const LONGEST_BAN = 30 * DAY;
/**
 * Maximum number of banned ids; one more ends the ban that is due soonest. Our choice: ids cost
 * nothing, so an unbounded list would be a leak.
 */
export const MOST_BANS = 4_096;

/**
 * Maximum share of the picks that new addresses get once `TRIED_ENOUGH` are tried. Our choice; the
 * doc comment of `AddressBook` gives the resulting figures.
 */
export const MOST_NEW_PICKS = 0.05;
/** Number of tried addresses from which `MOST_NEW_PICKS` applies. */
export const TRIED_ENOUGH = 32;
/**
 * Maximum number of entries and alternatives on one host in public mode. It limits how often others
 * can make this node dial the ports of a victim. Our choice.
 */
export const MOST_ON_A_HOST = 8;
/**
 * Maximum number of addresses at which this node dialed itself that the book remembers. The value
 * is our choice.
 */
export const MOST_OWN = 256;

// The types that go into the address book and come out of it.

/** A node and the address where it is reached. */
export interface BookAddress {
  /** 64 lower-case hex digits. */
  readonly nodeId: string;
  /**
   * The address, in any form that `placeOf` reads. The book always returns the canonical spelling.
   */
  readonly address: string;
}

/**
 * The record that the book keeps of an address. Times are in milliseconds of the caller's monotonic
 * clock.
 */
export interface BookEntry extends BookAddress {
  /**
   * True if it is in a 'tried' bucket: a dial has reached it. Otherwise it is 'new': no dial has
   * reached it, its tried bucket is full of entries that have not failed a test, or it failed a
   * test itself and made room for another.
   */
  readonly tried: boolean;
  /**
   * The number of dials since the last success that failed or are in progress; at most a million.
   */
  readonly failures: number;
  readonly lastAttempt: number | undefined;
  readonly lastSuccess: number | undefined;
  /** The address group of the node that reported it, or its own if no other node did. */
  readonly source: string;
}

/**
 * The outcome of adding an address:
 * - `added`: the address is a new entry; bad entries with its id or at its address were removed.
 * - `known`: the book already has the address, or a new entry that is not bad has its id at another
 *   address, or another id at its address.
 * - `alternative`: the id has a tried address that does not answer. The new address is kept in
 *   addition to that entry, and the two are dialed in turn: see `Alternatives`.
 * - `vetted`: a tried entry has its id at another address, or another id at its address.
 * - `own`: its id is this node's, or its address is one of the own addresses.
 * - `private`: its id, or the id of the node that reported it, is private. `banned`: its id is
 *   banned.
 * - `undialable`: it may not be dialed, at least not because this source reported it.
 * - `malformed`: the address is invalid.
 * - `full`: its host has 8 entries already (public mode).
 */
export type AddVerdict =
  | 'added'
  | 'known'
  | 'alternative'
  | 'own'
  | 'private'
  | 'banned'
  | 'undialable'
  | 'malformed'
  | 'vetted'
  | 'full';
