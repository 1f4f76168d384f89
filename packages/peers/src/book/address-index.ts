// The storage of the address book: entries in their buckets, and by id, address and host. It keeps
// these four indexes consistent and applies no other rules.

import { Buckets } from './buckets.ts';
import type { KnownAddress } from './known-address.ts';
import { NEW_BUCKETS, TRIED_BUCKETS } from './limits.ts';

/** The entries of the address book and its indexes. */
export class AddressIndex {
  readonly fresh = new Buckets<KnownAddress>(NEW_BUCKETS);
  readonly tried = new Buckets<KnownAddress>(TRIED_BUCKETS);
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

  /** The number of new entries. Each may be in several buckets. */
  get freshSize(): number {
    return this.#byId.size - this.tried.size;
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
    return this.tried.rows.flat();
  }

  /** Returns the new entries in bucket order, each once, without alternatives. */
  allNew(): KnownAddress[] {
    return [...new Set(this.fresh.rows.flat())].filter(
      (known) => this.#byId.get(known.nodeId) === known,
    );
  }

  /**
   * Puts a new entry in a bucket. A full bucket first loses a bad entry or, if no entry is bad, the
   * entry that was added or attempted longest ago.
   */
  addNew(known: KnownAddress, row: number, now: number): void {
    if (known.rows.includes(row)) return;
    if (this.fresh.isFull(row)) this.#expire(row, now);
    this.#put(known, row);
  }

  /** Puts a second address of a tried entry in a new bucket. */
  addAlternative(known: KnownAddress, row: number, now: number): void {
    this.#alternatives.set(known.nodeId, known);
    this.#settleOn(known.place.host);
    this.addNew(known, row, now);
  }

  /** Like `addNew`, but returns false if the bucket is full. */
  putNew(known: KnownAddress, row: number): boolean {
    if (known.rows.includes(row) || this.fresh.isFull(row)) return false;
    this.#put(known, row);
    return true;
  }

  /**
   * Moves a new entry, or one that is not stored yet, to a tried bucket. Returns false if that
   * bucket is full.
   */
  promote(known: KnownAddress, row: number): boolean {
    if (this.tried.isFull(row)) return false;
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

  remove(known: KnownAddress): void {
    this.#clear(known);
    const alternative = this.#alternatives.get(known.nodeId);
    if (alternative === known) this.#alternatives.delete(known.nodeId);
    else if (this.#byId.get(known.nodeId) !== known) return;
    else {
      this.#byId.delete(known.nodeId);
      this.#byKey.delete(known.address);
      if (alternative !== undefined) this.remove(alternative);
    }
    this.#leave(known.place.host);
  }

  #put(known: KnownAddress, row: number): void {
    (known.tried ? this.tried : this.fresh).put(row, known);
    known.rows.push(row);
    if (this.#byId.has(known.nodeId)) return;
    this.#byId.set(known.nodeId, known);
    this.#byKey.set(known.address, known);
    this.#settleOn(known.place.host);
  }

  #settleOn(host: string): void {
    this.#hosts.set(host, this.on(host) + 1);
  }

  #leave(host: string): void {
    const left = this.on(host) - 1;
    if (left > 0) this.#hosts.set(host, left);
    else this.#hosts.delete(host);
  }

  /** Takes an entry out of all its buckets. */
  #clear(known: KnownAddress): void {
    for (const row of known.rows) (known.tried ? this.tried : this.fresh).take(row, known);
    known.rows.length = 0;
  }

  #expire(row: number, now: number): void {
    const bucket = this.fresh.rows[row]!;
    const going =
      bucket.find((known) => known.isBad(now)) ??
      bucket.reduce((oldest, known) => (lastMoved(known) < lastMoved(oldest) ? known : oldest));
    this.fresh.take(row, going);
    going.rows.splice(going.rows.indexOf(row), 1);
    if (going.rows.length === 0) this.remove(going);
  }
}

function lastMoved(known: KnownAddress): number {
  return Math.max(known.added, known.lastAttempt ?? known.added);
}
