// The encoding of the list of addresses that answers a request. Tested in address-list.test.ts.

import { json } from '@trunkline/transport-core';
import { isNodeId } from '@trunkline/transport-core/backend';
import * as z from 'zod/mini';
import { isDialable, placeOf } from '../address/place.ts';
import type { BookAddress } from '../book/entries.ts';

const list = json(z.object({ addresses: z.array(z.unknown()) }));

/** Maximum size of a list in bytes; 250 entries with the longest host names take less. */
export const LONGEST_LIST: number = 128 * 1024;

/**
 * Maximum number of entries that are read from a list (Tendermint's maxGetSelection). Answers
 * should not contain more.
 */
export const MOST_ADDRESSES = 250;

/** Encodes a list. It leaves out the last entries if the list would be too long. */
export function encodeList(addresses: readonly unknown[]): Uint8Array {
  for (let count = addresses.length; ; count = Math.floor(count * 0.9)) {
    const encoded = list.encode({ addresses: addresses.slice(0, count) });
    if (encoded.length <= LONGEST_LIST) return encoded;
  }
}

/** Returns the entries of a list, which are not validated; undefined if it is malformed. */
export function decodeList(encoded: Uint8Array): readonly unknown[] | undefined {
  try {
    return list.decode(encoded).addresses;
  } catch {
    return undefined;
  }
}

/** Reads the first 250 entries of a list one by one. Malformed and repeated entries are dropped. */
export function readAddressEntries(entries: readonly unknown[]): BookAddress[] {
  const kept = new Map<string, BookAddress>();
  for (const value of entries.slice(0, MOST_ADDRESSES)) {
    const read = readAddressEntry(value);
    if (read !== undefined && !kept.has(read.key)) kept.set(read.key, read.entry);
  }
  return [...kept.values()];
}

/**
 * Reads an entry as a peer sent it. Returns undefined for a malformed entry, and for an address
 * that no node may dial. The address book decides whether this node may dial the address (private
 * networks, bans, own addresses). `key` is the same for all spellings of one entry. Unknown members
 * are ignored, because a later version may send more.
 */
export function readAddressEntry(
  value: unknown,
): { readonly entry: BookAddress; readonly key: string } | undefined {
  const { nodeId, address } = Object(value) as Partial<Record<keyof BookAddress, unknown>>;
  if (typeof nodeId !== 'string' || !isNodeId(nodeId) || typeof address !== 'string')
    return undefined;
  const place = placeOf(address);
  return place !== undefined && isDialable(place, 'any')
    ? { entry: { nodeId, address: address.trim() }, key: `${nodeId}@${place.key}` }
    : undefined;
}
