// One entry of the address book: an address, whose it is, who told, and how our dials went.

import type { Place } from '../address/place.ts';
import { ATTEMPT_TIME, FAILURES_AT_FIRST, FAILURES_AT_MOST, SUCCESS_HOLDS, VANISHED } from './limits.ts';

/** The book's own form of an entry, which changes as dials go. */
export class KnownAddress {
  readonly nodeId: string;
  readonly place: Place;
  readonly source: string;
  /** When it came into the book. */
  readonly added: number;
  /** When we were last told of it. */
  seen: number;
  failures = 0;
  lastAttempt: number | undefined = undefined;
  lastSuccess: number | undefined = undefined;
  tried = false;
  /** Was its node last dialled at an alternative address? */
  dialledElsewhere = false;
  /** The group whose alternative was dialled in vain, and until when it gives no other. */
  misled: { readonly source: string; readonly until: number } | undefined = undefined;
  /** The buckets it is in: of the tried ones exactly one, of the new ones 1 to 4. */
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

  attempted(now: number): void {
    this.lastAttempt = now;
    this.dialledElsewhere = false;
    this.failures = Math.min(this.failures + 1, 1_000_000);
  }

  succeeded(now: number): void {
    this.lastAttempt = now;
    this.lastSuccess = now;
    this.failures = 0;
  }

  /**
   * Tendermint's isBad: new, no attempt in the last minute, and unheard of for a week, or 3 failures without any success, or 10 without one
   * in the last week. "Unheard of" counts from when we were last told of it; there it counts from the last attempt, with a note that it
   * should not.
   */
  isBad(now: number): boolean {
    if (this.tried || (this.lastAttempt !== undefined && now - this.lastAttempt < ATTEMPT_TIME)) return false;
    if (now - Math.max(this.seen, this.lastAttempt ?? this.seen) > VANISHED) return true;
    return (this.lastSuccess === undefined && this.failures >= FAILURES_AT_FIRST) || this.isLost(now);
  }

  /** 10 failures, and no success in the last week. A tried address may be that and not bad. */
  isLost(now: number): boolean {
    return this.failures >= FAILURES_AT_MOST && !this.isRecent(now);
  }

  /** Was there a success in the last week? */
  isRecent(now: number): boolean {
    return this.lastSuccess !== undefined && now - this.lastSuccess <= SUCCESS_HOLDS;
  }

  /** Was it dialled since its last success, and the dial had its time? */
  hasFailedTest(now: number): boolean {
    const { lastAttempt, lastSuccess } = this;
    return lastAttempt !== undefined && (lastSuccess === undefined || lastAttempt > lastSuccess) && now - lastAttempt >= ATTEMPT_TIME;
  }

  /** A BookEntry: as it is now, for others to keep. */
  snapshot() {
    const { nodeId, address, tried, failures, lastAttempt, lastSuccess, source } = this;
    return Object.freeze({ nodeId, address, tried, failures, lastAttempt, lastSuccess, source });
  }
}

/** Undefined: there are none. */
export function longestWithoutSuccess(entries: readonly KnownAddress[]): KnownAddress | undefined {
  const [first] = entries;
  return first === undefined
    ? undefined
    : entries.reduce((longest, entry) => ((entry.lastSuccess ?? -Infinity) < (longest.lastSuccess ?? -Infinity) ? entry : longest));
}
