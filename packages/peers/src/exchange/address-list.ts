// The encoding of the list of addresses that answers a request.

import { bytes, json, limited } from '@trunkline/transport-core';
import { isNodeId, type Limited } from '@trunkline/transport-core/backend';
import * as z from 'zod/mini';
import { isDialable, placeOf } from '../address/place.ts';
import type { BookAddress } from '../book/entries.ts';

const list = json(z.object({ addresses: z.array(z.unknown()) }));

/**
 * A received list, which is decoded only when this function is called, so that no work is spent on
 * a list that this node did not request. The function returns its entries, which are not validated,
 * or undefined if the list is malformed.
 */
export type AddressList = () => readonly unknown[] | undefined;

/** Maximum size of a list in bytes; 250 entries with the longest host names take less. */
export const LONGEST_LIST: number = 128 * 1024;

const raw = limited(bytes, LONGEST_LIST);

/**
 * The codec of a list. It leaves out the last entries if the list would be too long.
 */
export const addressList: Limited<{
  readonly name: string;
  encode(value: { readonly addresses: readonly unknown[] }): Uint8Array;
  decode(encoded: Uint8Array): AddressList;
}> = Object.freeze({
  name: list.name,
  limit: raw.limit,
  encode({ addresses }: { readonly addresses: readonly unknown[] }): Uint8Array {
    for (let count = addresses.length; ; count = Math.floor(count * 0.9)) {
      const encoded = list.encode({ addresses: addresses.slice(0, count) });
      if (encoded.length <= LONGEST_LIST) return encoded;
    }
  },
  decode(encoded: Uint8Array): AddressList {
    const copy = raw.decode(encoded);
    return () => {
      try {
        return list.decode(copy).addresses;
      } catch {
        return undefined;
      }
    };
  },
});

// Reads one entry of a list of addresses that a peer sent: a node id, and an address of that node.

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
