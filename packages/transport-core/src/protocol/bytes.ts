// The codec that passes bytes through unchanged.

import { plain } from '../plain.ts';
import type { Codec } from './codec.ts';
import { kindOf } from './describe.ts';
import { refusal } from './refusal.ts';

/**
 * Passes bytes through without copying. `encode` takes any Uint8Array (including a Buffer), which
 * must not be changed afterwards. `decode` returns a plain Uint8Array that may share memory with
 * other messages, so `slice()` the bytes that you keep for long.
 */
export const bytes: Codec<Uint8Array<ArrayBuffer>, Uint8Array> = Object.freeze({
  name: 'bytes',
  encode(value: Uint8Array): Uint8Array {
    if (value instanceof Uint8Array) return value;
    throw refusal('bytes', '', `expected a Uint8Array, got ${kindOf(value)}`);
  },
  decode: plain,
});
