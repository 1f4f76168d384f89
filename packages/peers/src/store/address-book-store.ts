// Where an address book is kept: the port, and the stores that need no file.

import { createMemoryStore, type Store, type TransportError } from '@trunkline/transport-core';
import { OneUser } from './lifecycle.ts';
import { StoreBacking } from './store-backing.ts';

/** Keeps one text across restarts, for one user at a time: `load`, then any number of `save`, then `close`; then `load` again. */
export interface AddressBookStore {
  /**
   * Gives what was saved last, read by `read`, which throws where the text is no book; undefined where there is none. What was found
   * broken, and what was done about it, is told by `warnings`. Rejects only where it must not be used at all: with
   * `failed_precondition` while somebody else uses it, and where its place can be none.
   */
  load<T>(read: (text: string) => T): Promise<{ value: T | undefined; warnings: TransportError[] }>;
  /**
   * Resolves when this text, or a newer one, is safe from a crash: of those that wait for one that is being saved only the newest is
   * saved. Rejects with a TransportError (`resource_exhausted` for a disk that is full …), and what was saved before is intact;
   * `failed_precondition` where it was not loaded.
   */
  save(text: string): Promise<void>;
  /** Resolves when all is saved and somebody else may use it. */
  close(): Promise<void>;
}

/** An address book in memory: it lives as long as the object does, also after `close`. */
export function createMemoryAddressBook(): AddressBookStore {
  return createStoreAddressBook(createMemoryStore());
}

/**
 * An address book in a `Store` (what a simulated node has), under `key`. What was saved before stays under `key` + '.old', and what
 * could not be read under `key` + '.broken'.
 */
export function createStoreAddressBook(store: Store, key = 'address-book'): AddressBookStore {
  return new OneUser(new StoreBacking(store, key), key);
}
