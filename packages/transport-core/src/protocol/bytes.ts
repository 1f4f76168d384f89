// The codec that passes bytes through unchanged.

import { type Bytes, plain } from '../plain.ts';
import type { Codec } from './codec.ts';
import { kindOf } from './describe.ts';
import { refusal } from './refusal.ts';

/** The type of `bytes`, so that declarations of protocols can name it. */
export interface BytesCodec extends Codec<Bytes, Uint8Array> {
  /** The name shown in errors and tools. */
  readonly name: 'bytes';
}

/**
 * Passes bytes through. `encode` takes any Uint8Array (including a Buffer). The program may change
 * it once the call or write has settled; an answer of 64 KiB or more must not be changed anymore.
 * `decode` returns a plain Uint8Array that may share memory with
 * other messages, so `slice()` the bytes that you keep for long.
 */
export const bytes: BytesCodec = Object.freeze({
  name: 'bytes',
  encode(value: Uint8Array): Uint8Array {
    if (value instanceof Uint8Array) return value;
    throw refusal('bytes', '', `expected a Uint8Array, got ${kindOf(value)}`);
  },
  decode: plain,
});
