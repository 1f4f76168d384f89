// Hashing, signing and verifying in plain JavaScript (@noble). Browsers get this file as
// '#primitives'. Node gets primitives.node.ts, which has the same functions and is about 15 times
// faster.

import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { sha256 as nobleSha256, sha512 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import type { Bytes } from '@trunkline/transport-core/backend';
import { equalBytes, littleEndian } from './bytes.ts';
import type { IdentityKeyType, PublicKey } from './public-key.ts';
import type { SecretKey } from './secret-key.ts';
import { isScalar, isStrictSignature } from './strict-signature.ts';

/** Returns the SHA-256 of bytes, 32 bytes long. */
export function sha256(bytes: Uint8Array): Bytes {
  return nobleSha256(bytes) as Bytes;
}

/**
 * Returns the key of a secret of 32 bytes, which it keeps: do not change them. Throws a RangeError
 * for a P-256 secret that is not a number from 1 to n − 1.
 */
export function openSecret(type: IdentityKeyType, secret: Uint8Array): SecretKey {
  if (type === 'ed25519')
    return {
      point: ed25519.getPublicKey(secret),
      sign: (message) => ed25519.sign(message, secret) as Bytes,
    };
  if (!isScalar(secret)) throw new RangeError('a P-256 key is a number from 1 to n - 1');
  return {
    point: p256.getPublicKey(secret, false),
    // By default, @noble hashes the message with SHA-256 before it signs or verifies.
    sign: (message) => p256.sign(message, secret, { lowS: true }) as Bytes,
  };
}

/** Returns true if `signature` is valid and passes `isStrictSignature`. Never throws. */
export function verify(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (!isStrictSignature(key, signature)) return false;
  try {
    return key.type === 'ed25519'
      ? verifyEd25519(key.point, message, signature)
      : p256.verify(signature, message, key.point, { lowS: true });
  } catch {
    return false; // The key is not a point of the curve.
  }
}

/**
 * Checks R = SB − kA, compared as bytes: the equation of OpenSSL and of RFC 8032's reference code.
 * @noble's own `verify` multiplies both sides by 8, and so accepts signatures that others reject.
 *   The running time of `multiplyUnsafe` depends on its argument, which is public here.
 */
function verifyEd25519(point: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const { Point } = ed25519;
  const r = signature.subarray(0, 32);
  const k = Point.Fn.create(littleEndian(sha512(concatBytes(r, point, message))));
  const sB = Point.BASE.multiplyUnsafe(littleEndian(signature.subarray(32)));
  const kA = Point.fromBytes(point).multiplyUnsafe(k);
  return equalBytes(sB.subtract(kA).toBytes(), r);
}
