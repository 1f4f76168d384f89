// The options of the address book, and the types that go into and come out of it.

import type { Random } from '@trunkline/transport-core';
import type { DialMode } from '../address/place.ts';
import type { BookDocument } from './book-document.ts';

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
  /** Which addresses may be dialed when others reported them. Default 'any'. */
  readonly mode?: DialMode;
  /** The document that an earlier book saved. Invalid entries in it are left out. */
  readonly saved?: BookDocument | undefined;
  /** Ids that are never sent to others, see `setPrivate`. Default none. */
  readonly privateIds?: readonly string[];
  /** Our own id, which is never added. Default unknown. */
  readonly nodeId?: string | undefined;
}

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
 * The book's knowledge of an address. Times are in milliseconds of the caller's monotonic clock.
 */
export interface BookEntry extends BookAddress {
  /** True if a dial has reached it; otherwise it was only reported ('new'). */
  readonly tried: boolean;
  /** The number of attempts since the last success. */
  readonly failures: number;
  readonly lastAttempt: number | undefined;
  readonly lastSuccess: number | undefined;
  /** The address group of the node that reported it, or 'self' if no other node did. */
  readonly source: string;
}

/**
 * The outcome of adding an address:
 * - `added`: it is a new entry. `known`: it is in the book already, or its id is known at another
 *   address, or its address belongs to another id, and that entry is not bad.
 * - `alternative`: the id has a tried address that does not answer, and this one is dialed in turn
 *   with it: see `Alternatives`.
 * - `vetted`: it would have replaced an address that we reached ourselves.
 * - `own`: it is ours. `private`: it has a private id or was reported by one. `banned`: its id is
 *   banned. `undialable`: it may not be dialed in this mode. `malformed`: it is not a valid id and
 *   address.
 * - `full`: its host has the maximum number of entries (public mode).
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
