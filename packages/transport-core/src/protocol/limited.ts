// Adds a size limit to a codec.

import { reasonError } from '../errors.ts';
import type { Codec } from './codec.ts';

/** A codec with a limit. */
export type Limited<C> = C & {
  /** The maximum length of a message in bytes. */
  readonly limit: number;
};

/**
 * Returns a codec that refuses messages of more than `limit` bytes at either end, with
 * `resource_exhausted` (reason `too_large`). A longer message from a peer is not decoded.
 */
export function limited<C extends Codec<any, any>>(codec: C, limit: number): Limited<C> {
  const check = (bytes: Uint8Array): Uint8Array => {
    if (bytes.length <= limit) return bytes;
    throw reasonError(
      'too_large',
      `a message of ${bytes.length} bytes is above the limit of its codec (${codec.name}), ${limit}`,
    );
  };
  return Object.freeze({
    ...codec,
    name: codec.name, // A codec may be an instance of a class.
    schema: codec.schema,
    owned: codec.owned,
    limit,
    encode: (value: unknown) => check(codec.encode(value)),
    decode: (encoded: Uint8Array) => codec.decode(check(encoded)),
  });
}
