// Compares bytes and reads them as numbers, which @noble/hashes does not offer.

import { bytesToHex } from '@noble/hashes/utils.js';

/** Compares two byte arrays, not in constant time: use it for public values only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Reads bytes as a number, most significant byte first. Throws if there are none. */
export function bigEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${bytesToHex(bytes)}`);
}

/** Reads bytes as a number, least significant byte first. Throws if there are none. */
export function littleEndian(bytes: Uint8Array): bigint {
  return bigEndian(bytes.toReversed());
}
