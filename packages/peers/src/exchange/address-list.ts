// The encoding of the list of addresses that answers a request.

import { bytes, json, limited } from '@trunkline/transport-core';
import type { Limited } from '@trunkline/transport-core/backend';
import * as z from 'zod/mini';

const list = json(z.object({ addresses: z.array(z.unknown()) }));

/**
 * A list that is decoded only when it is read, so that no work is spent on a list that this node
 * did not request.
 */
export class AddressList {
  readonly #bytes: Uint8Array;

  constructor(encoded: Uint8Array) {
    this.#bytes = encoded;
  }

  /**
   * Decodes the list. Returns its entries, which are not validated, or undefined if it is
   * malformed.
   */
  read(): readonly unknown[] | undefined {
    try {
      return list.decode(this.#bytes).addresses;
    } catch {
      return undefined;
    }
  }
}

/** A list to send. */
export interface AddressesToSend {
  readonly addresses: readonly unknown[];
}

/** Maximum size of a list in bytes; 250 entries with the longest host names take less. */
export const LONGEST_LIST: number = 128 * 1024;

const raw = limited(bytes, LONGEST_LIST);

/**
 * The codec of a list. It leaves out the last entries if the list would be too long. Decoding is
 * left to `AddressList.read`.
 */
export const addressList: Limited<{
  readonly name: string;
  encode(value: AddressesToSend): Uint8Array;
  decode(encoded: Uint8Array): AddressList;
}> = Object.freeze({
  name: list.name,
  limit: raw.limit,
  encode({ addresses }: AddressesToSend): Uint8Array {
    for (let count = addresses.length; ; count = Math.floor(count * 0.9)) {
      const encoded = list.encode({ addresses: addresses.slice(0, count) });
      if (encoded.length <= LONGEST_LIST) return encoded;
    }
  },
  decode: (encoded: Uint8Array) => new AddressList(raw.decode(encoded)),
});
