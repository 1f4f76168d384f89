// Nodes, addresses and books for the tests of the address book.

import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Random } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import { AddressBook, type AddressBookOptions } from '../address-book.ts';
import type { SavedEntry } from '../document.ts';
import type { BookAddress } from '../entries.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export function idOf(number: number, kind = 'a'): string {
  return kind + number.toString(16).padStart(63, '0');
}

/** Returns a random public IPv4 address with a port, in any group. */
export function anyAddress(random: Random): string {
  const byte = () => Math.floor(random() * 256);
  return `${PUBLIC_FIRST[Math.floor(random() * PUBLIC_FIRST.length)]}.${byte()}.${byte()}.${byte()}:${1 + Math.floor(random() * 65_535)}`;
}

export function node(number: number, address: string, kind = 'a'): BookAddress {
  return { nodeId: idOf(number, kind), address };
}

/** The rest of a saved entry that nobody has dialed. */
export const unreached: Omit<SavedEntry, keyof BookAddress> = {
  source: 'x',
  tried: false,
  failures: 0,
  added: 0,
  seen: 0,
  attempt: null,
  success: null,
};

/** Returns nodes with distinct addresses in random groups. */
export function nodes(count: number, seed: number, kind = 'a'): BookAddress[] {
  const random = seededRandom(seed);
  const addresses = new Set<string>();
  while (addresses.size < count) addresses.add(anyAddress(random));
  return [...addresses].map((address, number) => node(number, address, kind));
}

export function makeBook(options: Partial<AddressBookOptions> = {}): AddressBook {
  return new AddressBook({ random: seededRandom(1), now: 0, ...options });
}

/**
 * Returns a book that has reached `tried` nodes and received reports of `fresh` others, each from a
 * source in a random group.
 */
export function filledBook(
  tried: number,
  fresh: number,
  options: Partial<AddressBookOptions> = {},
): AddressBook {
  const book = makeBook(options);
  const random = seededRandom(77);
  for (const [i, entry] of nodes(tried + fresh, 5).entries()) {
    book.add(entry, node(i, anyAddress(random), 'b'), 0);
    if (i < tried) book.succeeded(entry.nodeId, entry.address, 0);
  }
  return book;
}

/** Returns the text of a book's file with this content, which may be malformed. */
export function bookText(content: string): string {
  const hash = bytesToHex(sha256(utf8ToBytes(`${content}\n`)));
  const head = JSON.stringify({ format: 'trunkline address book', version: 1, sha256: hash });
  return `${head}\n${content}\n`;
}

/** First bytes of IPv4 addresses that no special-purpose range starts with. */
const PUBLIC_FIRST = [
  4, 8, 13, 20, 23, 34, 44, 52, 63, 77, 80, 91, 104, 133, 142, 151, 163, 178, 185, 209,
];
