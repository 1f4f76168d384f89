// Fuzzes key files. Any text must give an identity or `invalid_argument`, whose message is short
// and shows no part of the key. Any bytes must give a public key with exactly one node id, or be
// refused.

import { type Random, TransportError } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import { equalBytes } from '../bytes.ts';
import { createIdentity } from '../identity.ts';
import { nodeIdOf } from '../node-id.ts';
import { parseIdentity } from '../parse-identity.ts';
import { encodePem, pemBlocks } from '../pem.ts';
import { decodeSpki, encodeSpki } from '../public-key.ts';
import { verifySignature } from '../verify-signature.ts';

const message = Uint8Array.of(1, 2, 3);
const latin1 = new TextDecoder('latin1');
const some = (['ed25519', 'p256'] as const).map((type, i) =>
  createIdentity({ type, random: seededRandom(i + 1) }),
);
const LABELS = ['PRIVATE KEY', 'PUBLIC KEY', 'CERTIFICATE', 'EC PRIVATE KEY', 'X'];

export const target = {
  run(input: Uint8Array): void {
    file(latin1.decode(input));
    // The same bytes as DER.
    file(encodePem('PRIVATE KEY', input));
    publicKey(input);
    publicKey(encodePem('PUBLIC KEY', input));
    publicKey(encodePem('CERTIFICATE', input));
    if (
      verifySignature(input.subarray(0, -64), message, input.subarray(-64)) !==
      verifySignature(input.subarray(0, -64), message, input.slice(-64))
    ) {
      throw new Error('a signature is true, and is not');
    }
  },

  *seeds(): Iterable<Uint8Array> {
    for (const identity of some) {
      yield new TextEncoder().encode(identity.key);
      yield pemBlocks(identity.key)[0]!.bytes!;
      yield Uint8Array.from([...identity.publicKey, ...identity.sign(message)]);
    }
    for (const { publicKey: spki } of some) yield certificate(spki);
  },

  make(random: Random): Uint8Array {
    const below = (limit: number) => Math.floor(random() * limit);
    const { key, publicKey: spki } = some[below(2)]!;
    const der = pemBlocks(key)[0]!.bytes!;
    if (random() < 0.3) return der;
    if (random() < 0.3) return spki;
    const texts = Array.from({ length: 1 + below(3) }, () =>
      encodePem(LABELS[below(LABELS.length)]!, random() < 0.7 ? der : spki),
    );
    return new TextEncoder().encode(texts.join(['', '\n', '\r\n'][below(3)]));
  },

  tokens: [
    '-----BEGIN ',
    '-----END ',
    '-----',
    'PRIVATE KEY',
    'PUBLIC KEY',
    'CERTIFICATE',
    '=',
    '0\u0081',
    '\u0006\u0003+ep',
  ],
};

/**
 * Builds the part of a certificate that is read: version, serial, algorithm, issuer, validity,
 * subject, key.
 */
function certificate(spki: Uint8Array): Uint8Array {
  const empty = Uint8Array.of(0x30, 0);
  return der(
    0x30,
    der(
      0x30,
      Uint8Array.of(0xa0, 3, 2, 1, 2),
      Uint8Array.of(2, 1, 1),
      empty,
      empty,
      empty,
      empty,
      spki,
    ),
  );
}

function der(tag: number, ...parts: Uint8Array[]): Uint8Array {
  const body = parts.flatMap((part) => [...part]);
  return Uint8Array.from([
    tag,
    ...(body.length < 128 ? [body.length] : [0x81, body.length]),
    ...body,
  ]);
}

function file(text: string): void {
  try {
    const identity = parseIdentity(text);
    const again = parseIdentity(identity.key);
    if (again.nodeId !== identity.nodeId || nodeIdOf(identity.publicKey) !== identity.nodeId)
      throw new Error('one key has two node ids');
    if (!verifySignature(identity.publicKey, message, identity.sign(message)))
      throw new Error('it signs what is not true');
  } catch (error) {
    refused(error, text);
  }
}

function publicKey(given: Uint8Array | string): void {
  const decoded = typeof given === 'string' ? undefined : decodeSpki(given);
  if (decoded !== undefined && !equalBytes(encodeSpki(decoded), given as Uint8Array))
    throw new Error('one key has two forms');
  try {
    if (!/^[0-9a-f]{64}$/.test(nodeIdOf(given))) throw new Error('it is no node id');
  } catch (error) {
    refused(error, '');
  }
}

/**
 * Checks an error.
 *
 * @param text the input, none of whose base64 may appear in the message.
 */
function refused(error: unknown, text: string): void {
  if (!(error instanceof TransportError) || error.code !== 'invalid_argument') throw error;
  if (error.message.length > 1_000)
    throw new Error(`an error of ${error.message.length} characters`);
  for (const { 0: word } of text.matchAll(/^[A-Za-z0-9+/]{24,}/gm))
    if (error.message.includes(word.slice(0, 24))) throw new Error('an error shows the key');
}
