// Parses a private key in PEM. If the text is anything else, the error says what it is and how to
// fix it.

import { TransportError } from '@trunkline/transport-core';
import { equalBytes } from './bytes.ts';
import { type Identity, openIdentity } from './identity.ts';
import { pemBlocks } from './pem.ts';
import { decodePkcs8 } from './pkcs8.ts';
import { decodeSpki } from './public-key.ts';
import { isScalar } from './strict-signature.ts';

/**
 * Returns the identity of a private key: PKCS#8 in PEM, unencrypted, Ed25519 or P-256, and the only
 * block in its text. Throws `invalid_argument` for anything else, with a message that says what was
 * found and what to do, and a TypeError if `pem` is not a string. No error shows any part of the
 * key.
 */
export function parseIdentity(pem: string): Identity {
  if (typeof pem !== 'string')
    throw new TypeError(
      `parseIdentity: expected the text of a PEM file, got ${typeof pem}; read the file as 'utf8'`,
    );
  return readIdentity(pem, 'parseIdentity');
}

/** A variant of `parseIdentity` whose errors begin with `source`, the origin of the text. */
export function readIdentity(pem: string, source: string): Identity {
  const wrong = (found: string, remedy: string) =>
    new TransportError(
      'invalid_argument',
      `${source}: found ${found}; an identity is an Ed25519 or P-256 private key, PKCS#8 in PEM: ${remedy}`,
    );
  const [block, ...others] = pemBlocks(pem);
  if (block === undefined) throw wrong("no PEM ('-----BEGIN PRIVATE KEY-----')", FROM_DER);
  if (others.length > 0)
    throw wrong(
      `${others.length + 1} PEM blocks (${[block, ...others].map(({ label }) => `'${label}'`).join(', ')})`,
      ALONE,
    );
  if (block.label !== 'PRIVATE KEY')
    throw wrong(...(LABELS[block.label] ?? [`a PEM block '${block.label}'`, GENERATE]));
  if (block.bytes === undefined)
    throw wrong('a PRIVATE KEY that is cut off or not base64', 'use a complete copy of it');
  const decoded = decodePkcs8(block.bytes);
  if (decoded.t === 'other') throw wrong(decoded.found, GENERATE);
  if (decoded.type === 'p256' && !isScalar(decoded.secret))
    throw wrong('a P-256 key whose number is out of range', GENERATE);
  const identity = openIdentity(decoded.type, decoded.secret);
  if (!isPointOf(identity, decoded.point))
    throw wrong(
      'a private key with the public key of another one; the file is damaged',
      'use another copy of it',
    );
  return identity;
}

function isPointOf(identity: Identity, claimed: Uint8Array | undefined): boolean {
  const { type, point } = decodeSpki(identity.publicKey)!;
  return (
    claimed === undefined ||
    equalBytes(claimed, point) ||
    (type === 'p256' && equalBytes(claimed, compressed(point)))
  );
}

/** Returns a point in compressed form: the parity of y, then x. */
function compressed(point: Uint8Array): Uint8Array {
  return new Uint8Array([2 + (point.at(-1)! & 1), ...point.subarray(1, 33)]);
}

const GENERATE =
  "make one with createIdentity(), or 'openssl genpkey -algorithm ed25519 -out key.pem'";
const FROM_DER =
  "a file of bare DER becomes PEM with 'openssl pkey -inform DER -in key.der -out key.pem'";
const ALONE = 'give only the private key';
const PUBLIC = 'give the private key that belongs to it';

/** The labels of other PEM files, each with a description of its content and a remedy. */
const LABELS: Record<string, [found: string, remedy: string]> = {
  'ENCRYPTED PRIVATE KEY': [
    'an encrypted private key',
    "decrypt it with 'openssl pkey -in encrypted.pem -out key.pem'",
  ],
  'EC PRIVATE KEY': [
    "an EC key in SEC1 ('EC PRIVATE KEY')",
    "convert it with 'openssl pkcs8 -topk8 -nocrypt -in ec.pem -out key.pem'",
  ],
  'RSA PRIVATE KEY': ['an RSA key', GENERATE],
  'DSA PRIVATE KEY': ['a DSA key', GENERATE],
  'OPENSSH PRIVATE KEY': ['a key in the format of OpenSSH', GENERATE],
  'PUBLIC KEY': ['a public key', PUBLIC],
  CERTIFICATE: ['a certificate', PUBLIC],
  'TRUSTED CERTIFICATE': ['a certificate', PUBLIC],
  'CERTIFICATE REQUEST': ['a certificate request', PUBLIC],
};
