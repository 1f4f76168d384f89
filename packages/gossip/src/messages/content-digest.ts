// A fast digest of a message's content, used to detect two contents under one id. It is not
// cryptographic: anyone can construct two contents with the same digest.

import { look } from './word-reader.ts';

/**
 * Returns an integer from 0 to 2^53 − 1. The mixing follows MurmurHash3, in four lanes that don't
 * depend on each other. Each round multiplies one of two words. It rotates the other, so that bits
 * in equal positions don't cancel each other, and the next round multiplies it. Multiplying all
 * words took twice as long.
 */
export function contentDigest(bytes: Uint8Array): number {
  const { view, at: start } = look(bytes);
  const { length } = bytes;
  const end = start + length;
  // All values stay signed 32-bit integers. Otherwise V8 would keep them as floating-point numbers
  // and convert them in each round.
  let a = 0x9e37_79b9 ^ length;
  let b = 0x85eb_ca6b | 0;
  let c = 0xc2b2_ae35 | 0;
  let d = 0x27d4_eb2f | 0;
  let at = start;
  for (const last = end - 32; at <= last; at += 32) {
    a = Math.imul(a ^ view.getInt32(at, true), 0xcc9e_2d51) ^ turned(view.getInt32(at + 16, true));
    b =
      Math.imul(b ^ view.getInt32(at + 4, true), 0x1b87_3593) ^
      turned(view.getInt32(at + 20, true));
    c =
      Math.imul(c ^ view.getInt32(at + 8, true), 0xcc9e_2d51) ^
      turned(view.getInt32(at + 24, true));
    d =
      Math.imul(d ^ view.getInt32(at + 12, true), 0x1b87_3593) ^
      turned(view.getInt32(at + 28, true));
    // The high bits of a product don't affect the low bits of the next one.
    a ^= a >>> 15;
    b ^= b >>> 13;
    c ^= c >>> 15;
    d ^= d >>> 13;
  }
  for (const last = end - 4; at <= last; at += 4) {
    a = Math.imul(a ^ view.getInt32(at, true), 0xcc9e_2d51);
    a ^= a >>> 15;
  }
  for (; at < end; at++) {
    a = Math.imul(a ^ view.getUint8(at), 0xcc9e_2d51);
    a ^= a >>> 15;
    b = Math.imul(b + view.getUint8(at), 0x1b87_3593);
    b ^= b >>> 13;
  }
  a = Math.imul(a ^ Math.imul(c, 0x1b87_3593) ^ (b >>> 16), 0xc2b2_ae35);
  b = Math.imul(b ^ Math.imul(d, 0xcc9e_2d51) ^ (a >>> 13), 0x85eb_ca6b);
  // The result is too short for all bits of b.
  a ^= Math.imul(b ^ (b >>> 15), 0x1b87_3593);
  return ((b ^ (b >>> 16)) & 0x1f_ffff) * 0x1_0000_0000 + ((a ^ (a >>> 16)) >>> 0);
}

function turned(word: number): number {
  return (word << 13) | (word >>> 19);
}
