// Hashing, signing and verifying with OpenSSL. In Node, the import '#primitives' is this file;
// elsewhere, it is primitives.ts. Both accept exactly the same signatures.

import { Buffer } from 'node:buffer';
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type JsonWebKey,
  sign as nodeSign,
  verify as nodeVerify,
} from 'node:crypto';
import type { Bytes } from '@trunkline/transport-core/backend';
import { encodePkcs8 } from './pkcs8.ts';
import type { IdentityKeyType, PublicKey } from './public-key.ts';
import type { SecretKey } from './secret-key.ts';
import { isScalar, isStrictSignature, withLowS } from './strict-signature.ts';

/** Returns the SHA-256 of bytes, 32 bytes long. */
export function sha256(bytes: Uint8Array): Bytes {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

/**
 * Returns the key of a secret of 32 bytes. Throws a RangeError for a P-256 secret that is not a
 * number from 1 to n − 1.
 */
export function openSecret(type: IdentityKeyType, secret: Uint8Array): SecretKey {
  if (type === 'p256' && !isScalar(secret))
    throw new RangeError('a P-256 key is a number from 1 to n - 1');
  const key = createPrivateKey({
    key: Buffer.from(encodePkcs8(type, secret)),
    format: 'der',
    type: 'pkcs8',
  });
  const point = pointOfJwk(createPublicKey(key).export({ format: 'jwk' }));
  if (type === 'ed25519')
    return { point, sign: (message) => new Uint8Array(nodeSign(null, message, key)) };
  return {
    point,
    sign: (message) => withLowS(nodeSign('sha256', message, { key, dsaEncoding: 'ieee-p1363' })),
  };
}

/** Returns true if `signature` is valid and passes `isStrictSignature`. Never throws. */
export function verify(publicKey: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (!isStrictSignature(publicKey, signature)) return false;
  try {
    const key = createPublicKey({ key: jwkOfPoint(publicKey), format: 'jwk' });
    return nodeVerify(
      publicKey.type === 'ed25519' ? null : 'sha256',
      message,
      { key, dsaEncoding: 'ieee-p1363' },
      signature,
    );
  } catch {
    return false; // The point is not on the curve.
  }
}

/**
 * Encodes a public key as JWK, which OpenSSL 3 imports in 10 to 50 µs. Importing an SPKI takes 70
 * to 100 µs, as long as the signature check itself.
 */
function jwkOfPoint({ type, point }: PublicKey): JsonWebKey {
  const part = (from: number, to: number) =>
    Buffer.from(point.subarray(from, to)).toString('base64url');
  return type === 'ed25519'
    ? { kty: 'OKP', crv: 'Ed25519', x: part(0, 32) }
    : { kty: 'EC', crv: 'P-256', x: part(1, 33), y: part(33, 65) };
}

function pointOfJwk({ x = '', y }: JsonWebKey): Uint8Array {
  const part = (text: string) => Buffer.from(text, 'base64url');
  return y === undefined ? new Uint8Array(part(x)) : new Uint8Array([4, ...part(x), ...part(y)]);
}
