// Tests of node ids of public keys and certificates.

import { generateKeyPairSync } from 'node:crypto';
import { concatBytes } from '@noble/hashes/utils.js';
import { TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { createIdentity } from './identity.ts';
import { nodeIdOf } from './node-id.ts';
import { encodePem } from './pem.ts';
import { decodeSpki, KEY_TYPES } from './public-key.ts';
import { selfSigned } from './self-signed.ts';
import { fromHex } from './testing/bytes.ts';
import { GOLDEN } from './testing/golden.ts';

for (const type of KEY_TYPES) {
  test(`${type}: the id is the SHA-256 that OpenSSL and sha256sum compute, of bytes and of PEM`, (t) => {
    const { spki, nodeId } = GOLDEN[type];
    t.is(nodeIdOf(fromHex(spki)), nodeId);
    t.is(nodeIdOf(Buffer.from(spki, 'hex')), nodeId);
    t.is(nodeIdOf(encodePem('PUBLIC KEY', fromHex(spki))), nodeId);
  });

  test(`${type}: the id of a certificate is the id of its key, and the id of a chain that of its first certificate`, async (t) => {
    const identity = createIdentity({ type });
    const cert = await selfSigned(identity);
    t.is(nodeIdOf(cert), identity.nodeId);
    t.is(nodeIdOf(cert + (await selfSigned(createIdentity()))), identity.nodeId);
  });
}

test('keys of other algorithms have an id too', (t) => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  t.is(
    nodeIdOf(publicKey.export({ format: 'pem', type: 'spki' }) as string),
    nodeIdOf(publicKey.export({ format: 'der', type: 'spki' })),
  );
});

const explicit = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  paramEncoding: 'explicit',
}).publicKey;
const p256 = fromHex(GOLDEN.p256.spki);
const point = decodeSpki(p256)!.point;
const compressed = concatBytes(
  fromHex('3039301306072a8648ce3d020106082a8648ce3d030107032200'),
  new Uint8Array([2 + (point[64]! & 1)]),
  point.subarray(1, 33),
);
const wrong: [string, Uint8Array | string, RegExp][] = [
  [
    'a compressed key',
    compressed,
    /an EC key in a non-canonical form: .*-ec_conv_form uncompressed/,
  ],
  [
    'a key with explicit curve parameters',
    explicit.export({ format: 'der', type: 'spki' }),
    /an EC key in a non-canonical form: .*named_curve/,
  ],
  [
    'an Ed25519 key with parameters',
    fromHex(`302c300706032b65700500032100${'01'.repeat(32)}`),
    /an Ed25519 key that has parameters/,
  ],
  [
    'an Ed25519 key of 31 bytes',
    fromHex(`3029300506032b6570032000${'01'.repeat(31)}`),
    /not 32 bytes/,
  ],
  ['a public key without its SPKI header', point, /65 bytes that are not SPKI: .*-pubout/],
  ['an empty array', new Uint8Array(0), /0 bytes that are not SPKI/],
  [
    'a key with an additional byte',
    concatBytes(p256, new Uint8Array(1)),
    /92 bytes that are not SPKI/,
  ],
  ['a key without its last byte', p256.subarray(0, 90), /90 bytes that are not SPKI/],
  [
    'a key whose length has more bytes than needed',
    fromHex(`3081${GOLDEN.ed25519.spki.slice(2)}`),
    /not SPKI/,
  ],
  ['a text without PEM', 'hello', /a text without PEM/],
  ['a private key', GOLDEN.p256.pem, /a PEM block 'PRIVATE KEY': do not pass it around/],
  ['a certificate request', encodePem('CERTIFICATE REQUEST', p256), /openssl req/],
  [
    'a damaged certificate',
    encodePem('CERTIFICATE', p256),
    /a CERTIFICATE that is cut off or damaged/,
  ],
  [
    'a public key that is cut off',
    encodePem('PUBLIC KEY', p256).slice(0, 60),
    /a PUBLIC KEY that is cut off/,
  ],
];

for (const [name, value, message] of wrong) {
  test(`${name} has no id`, (t) => {
    const error = t.throws(() => nodeIdOf(value), { instanceOf: TransportError, message });
    t.is(error.code, 'invalid_argument');
    t.regex(error.message, /^nodeIdOf: got /);
  });
}

test('an argument that is neither bytes nor text throws a TypeError', (t) => {
  for (const value of [undefined, null, 4, {}, new ArrayBuffer(44)])
    t.throws(() => nodeIdOf(value as never), { instanceOf: TypeError });
});

test('any bytes result in an id or a TransportError', (t) => {
  for (const { spki } of Object.values(GOLDEN)) {
    const bytes = fromHex(spki);
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        try {
          t.regex(nodeIdOf(bytes.with(at, bytes[at]! ^ (1 << bit))), /^[0-9a-f]{64}$/);
        } catch (error) {
          t.true(error instanceof TransportError, String(error));
        }
      }
    }
  }
});
