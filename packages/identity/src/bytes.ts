// What bytes need besides @noble/hashes: comparing, and reading as numbers.

import { bytesToHex } from '@noble/hashes/utils.js';

/** Not in constant time: for what is public. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** The most significant byte first. */
export function bigEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${bytesToHex(bytes)}`);
}

/** The least significant byte first. */
export function littleEndian(bytes: Uint8Array): bigint {
  return bigEndian(bytes.toReversed());
}
