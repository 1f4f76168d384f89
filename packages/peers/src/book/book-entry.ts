// The options of the address book, and the types that go into and come out of it.

import type { Random } from '@trunkline/transport-core';
import type { DialMode, Place } from '../address/place.ts';
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
   * reached it, or its tried bucket is full of entries that have not failed a test.
   */
  readonly tried: boolean;
  /**
   * The number of attempts since the last success, including one in progress; at most a million.
   */
  readonly failures: number;
  readonly lastAttempt: number | undefined;
  readonly lastSuccess: number | undefined;
  /** The address group of the node that reported it, or 'self' if no other node did. */
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
 * - `malformed`: id or address is invalid.
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
