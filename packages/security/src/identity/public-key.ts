// The transfer format of public keys: SubjectPublicKeyInfo (SPKI), the DER structure that TLS,
// certificates and `openssl pkey -pubout` use.

import { concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import type { Bytes } from '@trunkline/transport-core/backend';
import { equalBytes } from './bytes.ts';

/** The two types of key that a node can have. */
export type IdentityKeyType = 'ed25519' | 'p256';

/** A decoded public key. */
export interface PublicKey {
  readonly type: IdentityKeyType;
  /** The public point: 32 bytes for Ed25519; 65 bytes, uncompressed (4, x, y), for P-256. */
  readonly point: Uint8Array;
}

/** Encodes a key as SPKI, in the only form that we accept. */
export function encodeSpki({ type, point }: PublicKey): Bytes {
  return concatBytes(PREFIXES[type], point) as Bytes;
}

/**
 * Decodes an SPKI; `point` is a view of it. Returns undefined if it has another algorithm, or a
 * form that `encodeSpki` does not produce: a compressed point, explicit parameters, or bytes that
 * are not DER. Does not check that the point is on its curve; `verify` of the primitives does.
 */
export function decodeSpki(spki: Uint8Array): PublicKey | undefined {
  for (const type of KEY_TYPES) {
    const prefix = PREFIXES[type];
    if (!equalBytes(spki.subarray(0, prefix.length), prefix)) continue;
    const point = spki.subarray(prefix.length);
    const isWhole =
      type === 'ed25519' ? point.length === 32 : point.length === 65 && point[0] === UNCOMPRESSED;
    return isWhole ? { type, point } : undefined;
  }
  return undefined;
}

/** All values of {@link IdentityKeyType}. */
export const KEY_TYPES: readonly IdentityKeyType[] = ['ed25519', 'p256'];

/**
 * The bytes before the point: two lengths, the algorithm, and the header of the bit string (RFC
 * 8410 §4, RFC 5480 §2).
 */
const PREFIXES: Record<IdentityKeyType, Uint8Array> = {
  ed25519: hexToBytes('302a300506032b6570032100'),
  p256: hexToBytes('3059301306072a8648ce3d020106082a8648ce3d030107034200'),
};
const UNCOMPRESSED = 4;
