// Did the holder of a public key sign this?

import { verify } from '#primitives';
import { decodeSpki } from './public-key.ts';

/**
 * True only for a signature that `identity.sign` of this key could have made. Strict, so that a signature has one form and all
 * machines agree on it; and it never throws: false for other algorithms, a wrong length, an SPKI in any but its one DER form, points
 * that are not on the curve, Ed25519 keys and points that are of small order or not canonical, S ≥ L, and P-256 with a high s.
 *
 * @param publicKey SPKI, DER
 * @param signature 64 bytes
 */
export function verifySignature(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (![publicKey, message, signature].every((bytes) => bytes instanceof Uint8Array)) return false;
  const key = decodeSpki(publicKey);
  return key !== undefined && verify(key, message, signature);
}
