// The rules that both builds of the primitives apply to the bytes of a signature before any
// arithmetic. They make both builds, and every version of OpenSSL, accept the same signatures. Only
// the holder of the key can turn a valid signature of a message into another valid one.

import { hexToBytes } from '@noble/hashes/utils.js';
import type { Bytes } from '@trunkline/transport-core/backend';
import { bigEndian, littleEndian } from './bytes.ts';
import type { PublicKey } from './public-key.ts';

/**
 * Returns false for a signature or key that is invalid for every message: wrong lengths, ranges or
 * encodings, and Ed25519 points of small order.
 */
export function isStrictSignature({ type, point }: PublicKey, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false;
  const first = signature.subarray(0, 32);
  const second = signature.subarray(32);
  if (type === 'ed25519')
    return isStrictPoint(point) && isStrictPoint(first) && littleEndian(second) < ED25519_ORDER;
  const r = bigEndian(first);
  const s = bigEndian(second);
  return r > 0n && r < P256_ORDER && s > 0n && s <= P256_HALF;
}

/**
 * Returns true if an Ed25519 point is encoded canonically and not of small order. A key of small
 * order would have signatures that are valid for many messages. The rule is the same as
 * libsodium's. (The sign bit may have either value: both points with x = 0 are of small order.)
 */
export function isStrictPoint(point: Uint8Array): boolean {
  const y = littleEndian(point) & ~SIGN;
  return y < ED25519_FIELD && !SMALL_ORDER.has(y);
}

/**
 * Returns a copy of a P-256 signature of 64 bytes, with the lower s: (r, s) and (r, n − s) are
 * equally valid.
 */
export function withLowS(signature: Uint8Array): Bytes {
  const low = new Uint8Array(signature);
  const s = bigEndian(low.subarray(32));
  if (s > P256_HALF) low.set(hexToBytes((P256_ORDER - s).toString(16).padStart(64, '0')), 32);
  return low;
}

/**
 * Returns true if 32 bytes are a valid P-256 private key. OpenSSL also accepts numbers above n, and
 * reduces them.
 */
export function isScalar(secret: Uint8Array): boolean {
  const number = bigEndian(secret);
  return number > 0n && number < P256_ORDER;
}

/** The order n of P-256, the number of its points (SEC 2, §2.4.2). */
export const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const P256_HALF = P256_ORDER >> 1n;

/** The numbers p and L of RFC 8032 §5.1. */
const ED25519_FIELD = 2n ** 255n - 19n;
const ED25519_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const SIGN = 1n << 255n;

/**
 * The y coordinates of the eight points whose order divides 8: one each for the orders 4, 1 and 2,
 * and two for the order 8.
 */
const SMALL_ORDER = new Set([
  0n,
  1n,
  ED25519_FIELD - 1n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
]);
