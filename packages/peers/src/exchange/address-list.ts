// The list of addresses that answers a request, as it crosses.

import { bytes, json, type Limited, limited } from '@trunkline/transport-core';
import * as z from 'zod/mini';

const list = json(z.object({ addresses: z.array(z.unknown()) }));

/** A list that was not decoded yet: nothing is spent on one that nobody asked for. */
export class AddressList {
  readonly #bytes: Uint8Array;

  constructor(encoded: Uint8Array) {
    this.#bytes = encoded;
  }

  /** Returns the entries, which may be anything; undefined if it is no list. */
  read(): readonly unknown[] | undefined {
    try {
      return list.decode(this.#bytes).addresses;
    } catch {
      return undefined;
    }
  }
}

/** A list to be sent. */
export interface Addresses {
  readonly addresses: readonly unknown[];
}

/** Bytes of a list: 250 entries of the longest host names take less. */
export const LONGEST_LIST: number = 128 * 1024;

const raw = limited(bytes, LONGEST_LIST);

/** Encodes a list, without its last entries if it would be too long; decodes none of it. */
export const addressList: Limited<{
  readonly name: string;
  encode(value: Addresses): Uint8Array;
  decode(encoded: Uint8Array): AddressList;
}> = Object.freeze({
  name: list.name,
  limit: raw.limit,
  encode({ addresses }: Addresses): Uint8Array {
    for (let count = addresses.length; ; count = Math.floor(count * 0.9)) {
      const encoded = list.encode({ addresses: addresses.slice(0, count) });
      if (encoded.length <= LONGEST_LIST) return encoded;
    }
  },
  decode: (encoded: Uint8Array) => new AddressList(raw.decode(encoded)),
});
