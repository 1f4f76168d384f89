// A quick digest of a content, to notice that one id stands for two of them. It protects nothing: who wants to can find two contents with one digest.

/** An integer from 0 to 2^53 − 1, after MurmurHash3's mixing, in two lanes. */
export function contentDigest(bytes: Uint8Array): number {
  let a = 0x9e37_79b9 ^ bytes.length;
  let b = 0x85eb_ca6b;
  for (let i = 0; i < bytes.length; i++) {
    a = Math.imul(a ^ bytes[i]!, 0xcc9e_2d51);
    a ^= a >>> 15;
    b = Math.imul(b + bytes[i]!, 0x1b87_3593) ^ (b >>> 13);
  }
  a = Math.imul(a ^ (b >>> 16), 0xc2b2_ae35);
  b = Math.imul(b ^ (a >>> 13), 0x85eb_ca6b);
  return ((b ^ (b >>> 16)) & 0x1f_ffff) * 0x1_0000_0000 + ((a ^ (a >>> 16)) >>> 0);
}
