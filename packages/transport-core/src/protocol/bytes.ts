// The codec of bytes as they are.

import { plain } from '../plain.ts';
import type { Codec } from './codec.ts';
import { kindOf } from './describe.ts';
import { refusal } from './refusal.ts';

/**
 * Bytes as they are, copied neither way: encode takes any Uint8Array (a Buffer too), which must not be changed afterwards;
 * decode gives a plain Uint8Array that may share memory with its neighbours: `slice()` what you keep for long.
 */
export const bytes: Codec<Uint8Array<ArrayBuffer>, Uint8Array> = Object.freeze({
  name: 'bytes',
  encode(value: Uint8Array): Uint8Array {
    if (value instanceof Uint8Array) return value;
    throw refusal('bytes', '', `expected a Uint8Array, got ${kindOf(value)}`);
  },
  decode: plain,
});
