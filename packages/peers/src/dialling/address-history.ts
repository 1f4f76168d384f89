// Which addresses of the book failed, and until when they are left alone.

import type { Random } from '@trunkline/transport-core';
import { type BackOffOptions, backOffDelay } from './back-off.ts';
import { LONG_ENOUGH } from './dial-target.ts';

interface Entry {
  failures: number;
  /** Not dialled before. */
  at: number;
  /** When the link opened that is up now. */
  since: number | undefined;
}

/** By canonical address, of at most 4,096 of them: then the one longest untouched is forgotten, and may be dialled at once. */
export class AddressHistory {
  readonly #random: Random;
  readonly #entries = new Map<string, Entry>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** When the address may be dialled. */
  readyAt(key: string): number {
    return this.#entries.get(key)?.at ?? Number.NEGATIVE_INFINITY;
  }

  /** The next time after `now` at which an address may be dialled again. */
  nextReady(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { at } of this.#entries.values()) if (at > now && at < next) next = at;
    return next;
  }

  opened(key: string, now: number): void {
    this.#touch(key).since = now;
  }

  /** Gives its failures in a row, this one included. */
  failed(key: string, now: number, options: BackOffOptions): number {
    const entry = this.#touch(key);
    entry.failures++;
    entry.at = now + backOffDelay(options, entry.failures, this.#random);
    entry.since = undefined;
    return entry.failures;
  }

  /** The link is gone. One that lived for LONG_ENOUGH was a success before. */
  lost(key: string, now: number, options: BackOffOptions): void {
    const entry = this.#touch(key);
    if (entry.since !== undefined && now - entry.since >= LONG_ENOUGH) entry.failures = 0;
    this.failed(key, now, options);
  }

  /** It is left alone until then, and begins anew. */
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

  /** A Map keeps the order of insertion: the first is the one longest untouched. */
  #touch(key: string): Entry {
    const entry = this.#entries.get(key) ?? { failures: 0, at: Number.NEGATIVE_INFINITY, since: undefined };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > MOST_ADDRESSES) this.#entries.delete(this.#entries.keys().next().value!);
    return entry;
  }
}

const MOST_ADDRESSES = 4_096;
