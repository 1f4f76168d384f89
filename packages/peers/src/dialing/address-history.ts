// Remembers which addresses of the book failed, and until when each of them must not be dialed.
// Also remembers this node's own addresses.

import type { Random } from '@trunkline/transport-core';
import { type BackOffOptions, backOffDelay } from './back-off.ts';
import { LONG_ENOUGH } from './targets.ts';

interface AddressRecord {
  failures: number;
  /** Time before which the address is not dialed. */
  at: number;
  /** Time at which the current connection opened. */
  since: number | undefined;
}

/**
 * The history by canonical address. Holds at most 4,096 addresses; beyond that, the address that
 * was not used for the longest time is forgotten and may be dialed at once.
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
   * Records that the connection is gone. If it lasted for LONG_ENOUGH, earlier failures are
   * forgotten first.
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

  get size(): number {
    return this.#entries.size;
  }

  /**
   * Moves an entry to the end. A Map keeps the order of insertion, so the first entry is the one
   * that was not used for the longest time.
   */
  #touch(key: string): AddressRecord {
    const entry = this.#entries.get(key) ?? {
      failures: 0,
      at: Number.NEGATIVE_INFINITY,
      since: undefined,
    };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > MOST_ADDRESSES)
      this.#entries.delete(this.#entries.keys().next().value!);
    return entry;
  }
}

/**
 * The canonical addresses at which this node dialed itself. Holds at most 1,024 addresses; beyond
 * that, the oldest is forgotten and may be dialed again.
 */
export class OwnAddresses {
  readonly #keys = new Set<string>();

  add(key: string): void {
    this.#keys.delete(key);
    this.#keys.add(key);
    if (this.#keys.size > MOST_OWN) this.#keys.delete(this.#keys.keys().next().value!);
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  delete(key: string): void {
    this.#keys.delete(key);
  }
}

const MOST_ADDRESSES = 4_096;
const MOST_OWN = 1_024;
