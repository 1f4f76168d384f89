// The memory of the dial planner, which alone uses it: peers whose connection was lost by chance,
// and the back-offs of the addresses of the book and of seeds. Tested through the planner, by the
// tests in this folder.

import type { Random } from '@trunkline/transport-core';
import { dropOldest } from '../limits.ts';
import type { DialCandidate } from './dial-order.ts';
import { type BackOffOptions, backOffDelay, LONG_ENOUGH } from './targets.ts';

/**
 * A list of lost peers, with one peer for each id and each address. They are preferred to unknown
 * nodes for three tries. After these, they stay on the list for dials that begin while enough peers
 * are connected, until they are connected, refuse this node or are given up. Holds at most 64
 * peers; beyond that, the oldest is removed, and only the address book can pick it again.
 */
export class ReconnectList {
  readonly #entries = new Map<string, LostEntry>();

  /** Adds a peer that was lost at a canonical address. */
  add(key: string, candidate: DialCandidate): void {
    this.#entries.delete(candidate.nodeId);
    this.removeAt(key);
    this.#entries.set(candidate.nodeId, { key, candidate, tries: 0 });
    dropOldest(this.#entries, MOST_ENTRIES);
  }

  /** Records another failed try, at whichever address. */
  failed(nodeId: string): void {
    const entry = this.#entries.get(nodeId);
    if (entry !== undefined) entry.tries++;
  }

  remove(nodeId: string): void {
    this.#entries.delete(nodeId);
  }

  /** Removes the peer that was lost at a canonical address: only if its id is `only`, if given. */
  removeAt(key: string, only?: string): void {
    for (const [nodeId, entry] of this.#entries)
      if (entry.key === key && (only ?? nodeId) === nodeId) this.#entries.delete(nodeId);
  }

  /**
   * Returns what `place` returns for the first peer that has a place and has failed fewer than
   * `most` times. Removes the peers for which `isOver` returns true.
   */
  pick(
    isOver: (candidate: DialCandidate) => boolean,
    place: (candidate: DialCandidate, key: string) => DialCandidate | undefined,
    most: number = MOST_TRIES,
  ): DialCandidate | undefined {
    for (const [nodeId, { key, candidate, tries }] of this.#entries) {
      if (isOver(candidate)) this.#entries.delete(nodeId);
      else if (tries < most) {
        const found = place(candidate, key);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  /** The canonical addresses at which the peers were lost. */
  get keys(): string[] {
    return Array.from(this.#entries.values(), ({ key }) => key);
  }
}

interface LostEntry {
  readonly key: string;
  readonly candidate: DialCandidate;
  tries: number;
}

const MOST_ENTRIES = 64;
const MOST_TRIES = 3;

class AddressRecord {
  /** Number of failures in a row; connections that end count, too (see `lost`). */
  failures = 0;
  /** Time before which the address is not dialed. */
  at = Number.NEGATIVE_INFINITY;
  /** Time at which the current connection opened. */
  since: number | undefined = undefined;
}

/**
 * The dials by canonical address, except those of persistent peers. Holds at most 4,096 addresses;
 * beyond that, the address that was not used for the longest time is forgotten and may be dialed at
 * once.
 */
export class AddressHistory {
  readonly #random: Random;
  readonly #entries = new Map<string, AddressRecord>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** Returns the time at which the address may be dialed again. */
  readyAt(key: string): number {
    return this.#entries.get(key)?.at ?? Number.NEGATIVE_INFINITY;
  }

  /** Returns the next time after `now` at which an address becomes ready to dial. */
  nextReady(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { at } of this.#entries.values()) if (at > now && at < next) next = at;
    return next;
  }

  opened(key: string, now: number): void {
    this.#touch(key).since = now;
  }

  /** Records a failed dial. Returns the number of failures in a row, including this one. */
  failed(key: string, now: number, options: BackOffOptions): number {
    const entry = this.#touch(key);
    entry.failures++;
    entry.at = now + backOffDelay(options, entry.failures, this.#random);
    entry.since = undefined;
    return entry.failures;
  }

  /**
   * Records that the connection is gone, which counts as a failure. If it lasted for LONG_ENOUGH,
   * earlier failures are forgotten first.
   */
  lost(key: string, now: number, options: BackOffOptions): void {
    const entry = this.#touch(key);
    if (entry.since !== undefined && now - entry.since >= LONG_ENOUGH) entry.failures = 0;
    this.failed(key, now, options);
  }

  /** Prevents dials to the address until the given time, and resets its failures. */
  rest(key: string, until: number): void {
    const entry = this.#touch(key);
    entry.failures = 0;
    entry.at = until;
    entry.since = undefined;
  }

  forget(key: string): void {
    this.#entries.delete(key);
  }

  /**
   * Moves an entry to the end. A Map keeps the order of insertion, so the first entry is the one
   * that was not used for the longest time.
   */
  #touch(key: string): AddressRecord {
    const entry = this.#entries.get(key) ?? new AddressRecord();
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    dropOldest(this.#entries, MOST_ADDRESSES);
    return entry;
  }
}

const MOST_ADDRESSES = 4_096;
