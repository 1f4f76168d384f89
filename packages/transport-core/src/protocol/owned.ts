// Hands memory over to the transport.

import type { Codec } from './codec.ts';

/**
 * Returns a codec whose bytes belong to Trunkline once it has encoded a value: they are never
 * copied before they are sent, and the program must not change them anymore. `owned(bytes)` is for
 * bytes that the program makes anew for each message.
 */
export function owned<C extends Codec<any, any>>(codec: C): C {
  if (Object.getPrototypeOf(codec) === Object.prototype)
    return Object.freeze({ ...codec, owned: true });
  // An instance of a class.
  const { name, limit, schema } = codec;
  return Object.freeze({
    ...codec,
    ...{ name, limit, schema, owned: true },
    encode: (value: unknown) => codec.encode(value),
    decode: (encoded: Uint8Array) => codec.decode(encoded),
  });
}
