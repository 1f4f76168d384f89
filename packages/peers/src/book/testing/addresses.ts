// Nodes and addresses for the tests of the book.

import { type Random, seededRandom } from '@trunkline/transport-core';
import { AddressBook, type AddressBookOptions } from '../address-book.ts';
import type { BookAddress } from '../book-entry.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export function idOf(number: number, kind = 'a'): string {
  return kind + number.toString(16).padStart(63, '0');
}

/** A public IPv4 address with a port, in any group. */
export function anyAddress(random: Random): string {
  const byte = () => Math.floor(random() * 256);
  return `${PUBLIC_FIRST[Math.floor(random() * PUBLIC_FIRST.length)]}.${byte()}.${byte()}.${byte()}:${1 + Math.floor(random() * 65_535)}`;
}

export function node(number: number, address: string, kind = 'a'): BookAddress {
  return { nodeId: idOf(number, kind), address };
}

/** Nodes with addresses in any groups, each another one. */
export function nodes(count: number, seed: number, kind = 'a'): BookAddress[] {
  const random = seededRandom(seed);
  const addresses = new Set<string>();
  while (addresses.size < count) addresses.add(anyAddress(random));
  return [...addresses].map((address, number) => node(number, address, kind));
}

export function makeBook(options: Partial<AddressBookOptions> = {}): AddressBook {
  return new AddressBook({ random: seededRandom(1), now: 0, ...options });
}

/** A book that reached `tried` nodes and was told of `fresh`, by a source of any group each. */
export function filledBook(tried: number, fresh: number, options: Partial<AddressBookOptions> = {}): AddressBook {
  const book = makeBook(options);
  const random = seededRandom(77);
  for (const [i, entry] of nodes(tried + fresh, 5).entries()) {
    book.add(entry, node(i, anyAddress(random), 'b'), 0);
    if (i < tried) book.succeeded(entry.nodeId, entry.address, 0);
  }
  return book;
}

/** No special ranges begin with these. */
const PUBLIC_FIRST = [4, 8, 13, 20, 23, 34, 44, 52, 63, 77, 80, 91, 104, 133, 142, 151, 163, 178, 185, 209];
