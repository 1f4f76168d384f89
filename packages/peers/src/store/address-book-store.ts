// The port through which an address book is loaded and saved, and the implementations that need no
// file.

import type { Store, TransportError } from '@trunkline/transport-core';
import { createMemoryStore } from '@trunkline/transport-core/testing';
import { ExclusiveStore, StoreBacking } from './store-backing.ts';

/**
 * Keeps one text across restarts, for one user at a time. Call `load` first, then `save` any number
 * of times, then `close`; after that it can be loaded again.
 */
export interface AddressBookStore {
  /**
   * Loads the text that was saved last and parses it with `read`, which must throw if the text is
   * not a book. `value` is undefined if nothing was saved. `warnings` reports all damage that was
   * found, and how it was handled.
   *
   * Rejects only if the store must not be used at all: with `failed_precondition` while another
   * user has it open, or with another code if its location can never hold a book.
   */
  load<T>(read: (text: string) => T): Promise<{ value: T | undefined; warnings: TransportError[] }>;
  /**
   * Saves a text. Resolves when this text, or a newer one, would survive a crash. If several texts
   * wait for a save in progress, only the newest is saved.
   *
   * Rejects with a TransportError (for example `resource_exhausted` for a full disk); the text
   * saved before is then intact. Rejects with `failed_precondition` if the store was not loaded.
   */
  save(text: string): Promise<void>;
  /** Resolves when all texts are saved and another user may load the store. */
  close(): Promise<void>;
}

/**
 * Creates an address book store in memory. Its content lives as long as the object, even after
 * `close`.
 */
export function createMemoryAddressBook(): AddressBookStore {
  return createStoreAddressBook(createMemoryStore());
}

/**
 * Creates an address book store on top of a `Store` (such as that of a simulated node), under the
 * key `key`. The last text but one stays under `key` + '.old', and a text that could not be read is
 * moved to `key` + '.broken'.
 */
export function createStoreAddressBook(store: Store, key = 'address-book'): AddressBookStore {
  return new ExclusiveStore(new StoreBacking(() => ({ store }), key), key);
}
