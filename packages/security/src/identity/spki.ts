// Extracts the SPKI from any of the supported forms of a public key.

import { bytesToHex } from '@noble/hashes/utils.js';
import { TransportError } from '@trunkline/transport-core';
import {
  BIT_STRING,
  CONTEXT_0,
  derElements,
  derSequence,
  OBJECT_IDENTIFIER,
  SEQUENCE,
} from './der.ts';
import { pemBlocks } from './pem.ts';
import { decodeSpki } from './public-key.ts';

/**
 * Returns the SPKI of a public key in DER, or in PEM of a public key or certificate (the first
 * block). Throws `invalid_argument`, with the name of `caller`, if there is none or it is not
 * canonical, and a TypeError for a value of another type. Bytes are returned themselves, not
 * copied.
 */
export function spkiOf(publicKey: Uint8Array | string, caller: string): Uint8Array {
  if (typeof publicKey === 'string') return spkiOfPem(publicKey, caller);
  if (!(publicKey instanceof Uint8Array))
    throw new TypeError(
      `${caller}: expected a Uint8Array (SPKI, DER) or PEM, got ${typeof publicKey}`,
    );
  return checkSpki(publicKey, caller);
}

function spkiOfPem(pem: string, caller: string): Uint8Array {
  const block = pemBlocks(pem)[0];
  if (block === undefined)
    throw wrong(
      caller,
      "a text without PEM ('-----BEGIN PUBLIC KEY-----')",
      'give SPKI, as PEM or as the bytes of its DER',
    );
  const { label, bytes } = block;
  if (label !== 'PUBLIC KEY' && label !== 'CERTIFICATE')
    throw wrong(
      caller,
      `a PEM block '${label}'`,
      LABELS[label] ?? "give a 'PUBLIC KEY' or a 'CERTIFICATE'",
    );
  const spki = bytes === undefined || label === 'PUBLIC KEY' ? bytes : spkiOfCertificate(bytes);
  if (spki === undefined)
    throw wrong(caller, `a ${label} that is cut off or damaged`, 'use a complete copy of it');
  return checkSpki(spki, caller);
}

/**
 * Returns the SPKI of a certificate, its seventh member after version (optional), serial,
 * algorithm, issuer, validity and subject (RFC 5280 §4.1).
 */
function spkiOfCertificate(der: Uint8Array): Uint8Array | undefined {
  const [signed] = derSequence(der);
  const members = signed === undefined ? [] : derElements(signed.body);
  return members[members[0]?.tag === CONTEXT_0 ? 6 : 5]?.whole;
}

function checkSpki(spki: Uint8Array, caller: string): Uint8Array {
  const [algorithm, bits, ...others] = derSequence(spki);
  const [oid, parameters] = algorithm?.tag === SEQUENCE ? derElements(algorithm.body) : [];
  if (
    oid?.tag !== OBJECT_IDENTIFIER ||
    bits?.tag !== BIT_STRING ||
    bits.body.length < 2 ||
    others.length > 0
  ) {
    throw wrong(
      caller,
      `${spki.length} bytes that are not SPKI`,
      "'openssl pkey -pubout -outform DER' writes it; a bare key of 32 or 65 bytes is not SPKI",
    );
  }
  const id = bytesToHex(oid.body);
  if (id === EC && (parameters?.tag !== OBJECT_IDENTIFIER || bits.body[1] !== UNCOMPRESSED))
    throw wrong(caller, 'an EC key in a non-canonical form', CONVERT);
  if (id === ED25519 && decodeSpki(spki) === undefined)
    throw wrong(
      caller,
      'an Ed25519 key that has parameters or not 32 bytes',
      'use another copy of it',
    );
  return spki;
}

function wrong(caller: string, found: string, remedy: string): TransportError {
  return new TransportError('invalid_argument', `${caller}: got ${found}: ${remedy}`);
}

const ED25519 = '2b6570';
const EC = '2a8648ce3d0201';
const UNCOMPRESSED = 4;
const CONVERT =
  "use a named curve and an uncompressed point ('openssl pkey -pubin -in key.pem -ec_conv_form uncompressed -ec_param_enc named_curve -pubout')";
const LABELS: Record<string, string> = {
  'PRIVATE KEY': 'do not pass it around; give the publicKey of parseIdentity(pem)',
  'RSA PUBLIC KEY':
    "convert it with 'openssl rsa -RSAPublicKey_in -in rsa.pem -pubout -out key.pem'",
  'CERTIFICATE REQUEST': "extract its key with 'openssl req -in request.pem -noout -pubkey'",
};
