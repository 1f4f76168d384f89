// One entry of the address book: an address, its node, the source that reported it, and the history
// of its dials. All times come from the book's monotonic clock. The book updates `tried` and
// `rows`.

import type { Place } from '../address/place.ts';
import type { BookEntry } from './book-entry.ts';
import {
  ATTEMPT_TIME,
  FAILURES_AT_FIRST,
  FAILURES_AT_MOST,
  SUCCESS_HOLDS,
  VANISHED,
} from './limits.ts';

/** The book's internal form of an entry, updated as dials succeed or fail. */
export class KnownAddress {
  readonly nodeId: string;
  readonly place: Place;
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
   * The group whose alternative failed last, and the time until which it may not report another
   * alternative.
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

  /** Records that a dial begins. It counts as a failure until it succeeds. */
  attempted(now: number): void {
    this.lastAttempt = now;
    this.dialedElsewhere = false;
    this.failures = Math.min(this.failures + 1, 1_000_000);
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
   * Returns true if the last dial failed, that is, if it began after the last success and at least
   * a minute ago. A tried entry that failed can be replaced by a newcomer (see `AddressBook`).
   */
  hasFailedTest(now: number): boolean {
    const { lastAttempt, lastSuccess } = this;
    return (
      lastAttempt !== undefined &&
      (lastSuccess === undefined || lastAttempt > lastSuccess) &&
      now - lastAttempt >= ATTEMPT_TIME
    );
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
  const [first] = entries;
  return first === undefined
    ? undefined
    : entries.reduce((longest, entry) =>
        (entry.lastSuccess ?? -Infinity) < (longest.lastSuccess ?? -Infinity) ? entry : longest,
      );
}
