// A quick digest of a content, to notice that one id stands for two of them. It protects nothing: who wants to can find two contents with one digest.

import { look } from './words.ts';

/** An integer from 0 to 2^53 − 1, after MurmurHash3's mixing, in four lanes, none of which waits for another. */
export function contentDigest(bytes: Uint8Array): number {
  const { view, at: start } = look(bytes);
  const { length } = bytes;
  const end = start + length;
  let a = 0x9e37_79b9 ^ length;
  let b = 0x85eb_ca6b;
  let c = 0xc2b2_ae35;
  let d = 0x27d4_eb2f;
  let at = start;
  for (const last = end - 16; at <= last; at += 16) {
    a = Math.imul(a ^ view.getInt32(at, true), 0xcc9e_2d51);
    b = Math.imul(b ^ view.getInt32(at + 4, true), 0x1b87_3593);
    c = Math.imul(c ^ view.getInt32(at + 8, true), 0xcc9e_2d51);
    d = Math.imul(d ^ view.getInt32(at + 12, true), 0x1b87_3593);
    // The high bits of a product say nothing to the low ones of the next.
    a ^= a >>> 15;
    b ^= b >>> 13;
    c ^= c >>> 15;
    d ^= d >>> 13;
  }
  for (; at < end; at++) {
    a = Math.imul(a ^ view.getUint8(at), 0xcc9e_2d51);
    a ^= a >>> 15;
    b = Math.imul(b + view.getUint8(at), 0x1b87_3593);
    b ^= b >>> 13;
  }
  a = Math.imul(a ^ Math.imul(c, 0x1b87_3593) ^ (b >>> 16), 0xc2b2_ae35);
  b = Math.imul(b ^ Math.imul(d, 0xcc9e_2d51) ^ (a >>> 13), 0x85eb_ca6b);
  return ((b ^ (b >>> 16)) & 0x1f_ffff) * 0x1_0000_0000 + ((a ^ (a >>> 16)) >>> 0);
}
