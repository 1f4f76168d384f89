// Creates address books of nodes that were in the network before.

import type { Random } from '@trunkline/transport-core';
import { placeOf } from '../../address/place.ts';
import type { BookDocument, SavedEntry } from '../../book/document.ts';
import { formatSavedState, parseSavedState } from '../../driver/book-keeper.ts';
import { type AddressBookStore, createMemoryAddressBook } from '../../store/address-book-store.ts';
import { idOf } from '../cluster.ts';

/** Returns a store with a book in which all the addresses have been reached. */
export async function prefilled(
  addresses: readonly string[],
  random: Random,
): Promise<AddressBookStore> {
  const entries = addresses.map(
    (address): SavedEntry => ({
      ...entryOf(address),
      source: placeOf(address)!.group,
      tried: true,
      failures: 0,
      added: HOUR,
      seen: HOUR,
      attempt: HOUR,
      success: HOUR,
    }),
  );
  const key = Array.from({ length: 64 }, () => Math.floor(random() * 16).toString(16)).join('');
  const book: BookDocument = { key, entries, buckets: [], bans: [] };
  const store = createMemoryAddressBook();
  await store.load(parseSavedState);
  await store.save(formatSavedState({ book, trust: { version: 1, peers: [] } }));
  await store.close();
  return store;
}

/** Returns the book entry of an address, with the node id that test clusters derive from it. */
export function entryOf(address: string): { readonly nodeId: string; readonly address: string } {
  return { nodeId: idOf(address), address };
}

const HOUR = 3_600_000;
