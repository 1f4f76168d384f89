// The storage format of private keys: PKCS#8 (RFC 5958), with the contents of RFC 8410 (Ed25519) or
// RFC 5915 (P-256).

import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import type { Bytes } from '@trunkline/transport-core/backend';
import { equalBytes } from './bytes.ts';
import {
  BIT_STRING,
  CONTEXT_0,
  CONTEXT_1,
  CONTEXT_1_PRIMITIVE,
  type DerElement,
  derElements,
  derSequence,
  dottedOid,
  INTEGER,
  OBJECT_IDENTIFIER,
  OCTET_STRING,
  SEQUENCE,
} from './der.ts';
import type { IdentityKeyType } from './public-key.ts';

/**
 * The content of a PKCS#8 structure: one of our keys, or something else, described so that the text
 * fits after 'found'.
 */
export type Pkcs8 = FoundKey | { t: 'other'; found: string };

/** A key. Its `point` is the public half, if the structure has one. */
interface FoundKey {
  t: 'key';
  type: IdentityKeyType;
  secret: Uint8Array;
  point: Uint8Array | undefined;
}

/**
 * Encodes a secret of 32 bytes. With `point` (65 bytes), a P-256 key is encoded as OpenSSL and Node
 * write it; without `point`, they can still read the key. An Ed25519 key is encoded without it.
 */
export function encodePkcs8(type: IdentityKeyType, secret: Uint8Array, point?: Uint8Array): Bytes {
  const parts =
    type === 'ed25519'
      ? [ED25519, secret]
      : point === undefined
        ? [P256_ALONE, secret]
        : [P256_WITH_POINT, secret, POINT, point];
  return concatBytes(...parts) as Bytes;
}

/**
 * Decodes a PKCS#8 structure. `secret` and `point` are views of `der`. `point` is the public key
 * that it claims, if any. `readIdentity` checks that it belongs to the secret, and that a P-256
 * secret is in range.
 */
export function decodePkcs8(der: Uint8Array): Pkcs8 {
  const [version, algorithm, contents, ...rest] = derSequence(der);
  if (!isInteger(version, 0, 1) || algorithm?.tag !== SEQUENCE || contents?.tag !== OCTET_STRING)
    return damaged;
  const [oid, parameters, ...more] = derElements(algorithm.body);
  if (oid?.tag !== OBJECT_IDENTIFIER || more.length > 0) return damaged;
  const found = describe(oid, parameters);
  if (found !== undefined) return { t: 'other', found };
  // The key may be followed by attributes and, in the second version, by the public key.
  const { [CONTEXT_0]: _attributes, [CONTEXT_1_PRIMITIVE]: bits, ...others } = byTag(rest);
  if (Object.keys(others).length > 0) return damaged;
  const key = parameters === undefined ? ed25519Key(contents.body) : p256Key(contents.body);
  return key.t === 'other' || bits === undefined ? key : withPoint(key, bits.body);
}

function ed25519Key(contents: Uint8Array): Pkcs8 {
  const [secret, ...others] = derElements(contents);
  if (secret?.tag !== OCTET_STRING || secret.body.length !== 32 || others.length > 0)
    return damaged;
  return { t: 'key', type: 'ed25519', secret: secret.body, point: undefined };
}

function p256Key(contents: Uint8Array): Pkcs8 {
  const [version, secret, ...rest] = derSequence(contents);
  if (!isInteger(version, 1) || secret?.tag !== OCTET_STRING || secret.body.length !== 32)
    return damaged;
  const { [CONTEXT_0]: curve, [CONTEXT_1]: publicKey, ...others } = byTag(rest);
  const isP256 = curve === undefined || bytesToHex(curve.body) === `0608${P256_CURVE}`;
  if (!isP256 || Object.keys(others).length > 0) return damaged;
  const key: FoundKey = { t: 'key', type: 'p256', secret: secret.body, point: undefined };
  if (publicKey === undefined) return key;
  const [bits, ...more] = derElements(publicKey.body);
  return bits?.tag === BIT_STRING && more.length === 0 ? withPoint(key, bits.body) : damaged;
}

/**
 * Adds the public key. `bits` is the content of a BIT STRING: the number of unused bits in its last
 * byte, then the bytes.
 */
function withPoint(key: FoundKey, bits: Uint8Array): Pkcs8 {
  return bits[0] === 0 ? { ...key, point: bits.subarray(1) } : damaged;
}

function isInteger(element: DerElement | undefined, ...values: number[]): boolean {
  return element?.tag === INTEGER && element.body.length === 1 && values.includes(element.body[0]!);
}

/** Returns the elements by tag. If several have the same tag, the last one counts. */
function byTag(elements: DerElement[]): Partial<Record<number, DerElement>> {
  return Object.fromEntries(elements.map((element) => [element.tag, element]));
}

/** Describes an algorithm; returns undefined for the two that this package supports. */
function describe(oid: DerElement, parameters: DerElement | undefined): string | undefined {
  const id = bytesToHex(oid.body);
  if (id === ED25519_OID && parameters === undefined) return undefined;
  if (id !== EC_OID) return ALGORITHMS[id] ?? `a key of another algorithm (${dottedOid(oid.body)})`;
  if (parameters?.tag !== OBJECT_IDENTIFIER)
    return 'an EC key that spells out its curve instead of naming it';
  if (equalBytes(parameters.body, hexToBytes(P256_CURVE))) return undefined;
  return `an EC key of another curve (${CURVES[bytesToHex(parameters.body)] ?? dottedOid(parameters.body)})`;
}

/** The result for bytes that are not PKCS#8. */
const damaged: Pkcs8 = {
  t: 'other',
  found: 'a PRIVATE KEY whose contents are not PKCS#8; the file is damaged',
};

/**
 * The DER bytes in front of the secret: for an Ed25519 key, for a P-256 key alone, and for a P-256
 * key that is followed by POINT and its public key (the uncompressed point).
 */
const ED25519 = hexToBytes('302e020100300506032b657004220420');
const P256_ALONE = hexToBytes(
  '3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420',
);
const P256_WITH_POINT = hexToBytes(
  '308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420',
);
const POINT = hexToBytes('a144034200');

/** Object identifiers, as the hex of their contents. */
const ED25519_OID = '2b6570';
const EC_OID = '2a8648ce3d0201';
const P256_CURVE = '2a8648ce3d030107';
const ALGORITHMS: Record<string, string> = {
  '2a864886f70d010101': 'an RSA key',
  '2a864886f70d01010a': 'an RSA-PSS key',
  '2a8648ce380401': 'a DSA key',
  [ED25519_OID]: 'an Ed25519 key with parameters, which are not allowed',
  '2b656e': 'an X25519 key, which cannot sign',
  '2b656f': 'an X448 key, which cannot sign',
  '2b6571': 'an Ed448 key',
};
const CURVES: Record<string, string> = {
  '2b81040021': 'P-224',
  '2b81040022': 'P-384',
  '2b81040023': 'P-521',
  '2b8104000a': 'secp256k1',
};
