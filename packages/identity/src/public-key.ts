// Public keys as they travel: SubjectPublicKeyInfo (SPKI), the DER that TLS, certificates and `openssl pkey -pubout` have in common.

import { concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import { equalBytes } from './bytes.ts';

/** The two kinds of key that a node can have. */
export type KeyType = 'ed25519' | 'p256';

export interface PublicKey {
  readonly type: KeyType;
  /** Ed25519: 32 bytes. P-256: 65, uncompressed (4, x, y). */
  readonly point: Uint8Array;
}

/** The one SPKI of a key. */
export function encodeSpki({ type, point }: PublicKey): Uint8Array<ArrayBuffer> {
  return concatBytes(PREFIXES[type], point) as Uint8Array<ArrayBuffer>;
}

/**
 * The key of an SPKI, or undefined for one of another algorithm, or in another form than `encodeSpki` gives: compressed, with
 * explicit parameters, or not DER. Whether the point is on its curve is for `verify` to find.
 */
export function decodeSpki(spki: Uint8Array): PublicKey | undefined {
  for (const type of KEY_TYPES) {
    const prefix = PREFIXES[type];
    if (!equalBytes(spki.subarray(0, prefix.length), prefix)) continue;
    const point = spki.subarray(prefix.length);
    const isWhole = type === 'ed25519' ? point.length === 32 : point.length === 65 && point[0] === UNCOMPRESSED;
    return isWhole ? { type, point } : undefined;
  }
  return undefined;
}

export const KEY_TYPES: readonly KeyType[] = ['ed25519', 'p256'];

/** What stands before the point: two lengths, the algorithm, and the head of the bit string (RFC 8410 §4, RFC 5480 §2). */
const PREFIXES: Record<KeyType, Uint8Array> = {
  ed25519: hexToBytes('302a300506032b6570032100'),
  p256: hexToBytes('3059301306072a8648ce3d020106082a8648ce3d030107034200'),
};
const UNCOMPRESSED = 4;
