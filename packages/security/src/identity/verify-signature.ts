// Verifies signatures of identities.

import { verify } from '#primitives';
import { decodeSpki } from './public-key.ts';

/**
 * Returns true only for a signature that `identity.sign` of this key could have made. The check is
 * strict, so that a signature has only one form and all machines agree on it. It never throws. It
 * returns false for:
 * - other algorithms, or an SPKI in any other than its canonical DER form
 * - a signature of the wrong length
 * - points that are not on the curve
 * - Ed25519 keys and points that are of small order or not canonical, and S ≥ L
 * - P-256 signatures with a high s
 *
 * @param publicKey SPKI, DER
 * @param signature 64 bytes
 */
export function verifySignature(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (![publicKey, message, signature].every((bytes) => bytes instanceof Uint8Array)) return false;
  const key = decodeSpki(publicKey);
  return key !== undefined && verify(key, message, signature);
}
