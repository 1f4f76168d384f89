// Creates address books of nodes that were in the network before.

import type { Random } from '@trunkline/transport-core';
import { AddressBook } from '../book/address-book.ts';
import { formatSavedState, parseSavedState } from '../driver/book-keeper.ts';
import { type AddressBookStore, createMemoryAddressBook } from '../store/address-book-store.ts';
import { TrustBook } from '../trust/trust-book.ts';
import { idOf } from './cluster.ts';

/** Returns a store with a book in which all the addresses have been reached. */
export async function prefilled(
  addresses: readonly string[],
  random: Random,
): Promise<AddressBookStore> {
  const book = new AddressBook({ random, now: 0 });
  for (const address of addresses) book.succeeded(idOf(address), address, 0);
  const store = createMemoryAddressBook();
  await store.load(parseSavedState);
  await store.save(formatSavedState(book.save(HOUR), new TrustBook().save()));
  await store.close();
  return store;
}

const HOUR = 3_600_000;
