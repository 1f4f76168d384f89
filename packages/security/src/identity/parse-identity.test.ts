// Tests of parsing private keys, and of the errors for any other input.

import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { concatBytes } from '@noble/hashes/utils.js';
import { TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { createIdentity } from './identity.ts';
import { parseIdentity } from './parse-identity.ts';
import { encodePem, pemBlocks } from './pem.ts';
import { encodePkcs8 } from './pkcs8.ts';
import { decodeSpki, KEY_TYPES } from './public-key.ts';
import { selfSigned } from './self-signed.ts';
import { fromHex, toHex, utf8 } from './testing/bytes.ts';
import { GOLDEN } from './testing/golden.ts';

const pkcs8 = (key: KeyObject) => key.export({ format: 'pem', type: 'pkcs8' }) as string;
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });
const p256 = ec('P-256');

for (const type of KEY_TYPES) {
  test(`${type}: a saved key is parsed into the same identity`, (t) => {
    const identity = createIdentity({ type });
    const again = parseIdentity(identity.key);
    t.deepEqual({ ...again }, { ...identity });
    t.is(again.key, identity.key);
    t.true(again.sign(utf8('x')).length === 64);
  });

  test(`${type}: a key that OpenSSL wrote is parsed`, (t) => {
    t.is(parseIdentity(GOLDEN[type].pem).nodeId, GOLDEN[type].nodeId);
  });
}

test('text around the block and Windows line ends are ignored', (t) => {
  const { pem, nodeId } = GOLDEN.p256;
  t.is(parseIdentity(`Bag Attributes\n    friendlyName: node 1\n${pem}\n\n`).nodeId, nodeId);
  t.is(parseIdentity(pem.replaceAll('\n', '\r\n')).nodeId, nodeId);
});

test('keys are parsed with and without the optional fields of PKCS#8, and written in one form', (t) => {
  const { secret, nodeId, pem } = GOLDEN.p256;
  const point = decodeSpki(fromHex(GOLDEN.p256.spki))!.point;
  const compressed = concatBytes(new Uint8Array([2 + (point[64]! & 1)]), point.subarray(1, 33));
  const curve = 'a00a06082a8648ce3d030107';
  const inner = (rest: string) => sequence(`0201010420${toHex(secret)}${rest}`);
  const key = (contents: string) =>
    encodePem(
      'PRIVATE KEY',
      fromHex(sequence(`020100301306072a8648ce3d020106082a8648ce3d030107${octets(contents)}`)),
    );
  for (const given of [
    encodePem('PRIVATE KEY', encodePkcs8('p256', secret)),
    key(inner(curve)),
    key(inner(`${curve}a144034200${toHex(point)}`)),
    key(inner(`a124032200${toHex(compressed)}`)),
  ]) {
    t.is(parseIdentity(given).nodeId, nodeId);
    t.is(parseIdentity(given).key, pem);
  }
  const second = (publicKey: string) =>
    sequence(
      `020101300506032b6570${octets(octets(toHex(GOLDEN.ed25519.secret)))}812100${publicKey}`,
    );
  const ed25519 = encodePem('PRIVATE KEY', fromHex(second(GOLDEN.ed25519.spki.slice(24))));
  t.is(parseIdentity(ed25519).key, GOLDEN.ed25519.pem);
  const foreign = encodePem('PRIVATE KEY', fromHex(second('00'.repeat(32))));
  t.throws(() => parseIdentity(foreign), {
    message: /a private key with the public key of another/,
  });
});

const refused: [string, () => string | Promise<string>, found: RegExp, remedy?: RegExp][] = [
  [
    'an RSA key',
    () => pkcs8(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey),
    /found an RSA key;/,
    /createIdentity\(\)/,
  ],
  [
    'an RSA key in PKCS#1',
    () =>
      generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({
        format: 'pem',
        type: 'pkcs1',
      }) as string,
    /an RSA key;/,
  ],
  ['a P-384 key', () => pkcs8(ec('P-384').privateKey), /an EC key of another curve \(P-384\)/],
  [
    'a secp256k1 key',
    () => pkcs8(ec('secp256k1').privateKey),
    /an EC key of another curve \(secp256k1\)/,
  ],
  [
    'a brainpool key',
    () => pkcs8(ec('brainpoolP256r1').privateKey),
    /an EC key of another curve \(1\.3\.36\.3\.3\.2\.8\.1\.1\.7\)/,
  ],
  [
    'a P-256 key with explicit curve parameters',
    () =>
      pkcs8(
        generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' }).privateKey,
      ),
    /an EC key that spells out its curve/,
  ],
  [
    'an X25519 key',
    () => pkcs8(generateKeyPairSync('x25519').privateKey),
    /an X25519 key, which cannot sign;/,
  ],
  ['an Ed448 key', () => pkcs8(generateKeyPairSync('ed448').privateKey), /an Ed448 key;/],
  [
    'a SEC1 key',
    () => p256.privateKey.export({ format: 'pem', type: 'sec1' }) as string,
    /an EC key in SEC1 \('EC PRIVATE KEY'\)/,
    /pkcs8 -topk8 -nocrypt/,
  ],
  [
    'an encrypted key',
    () =>
      p256.privateKey.export({
        format: 'pem',
        type: 'pkcs8',
        cipher: 'aes-256-cbc',
        passphrase: 'x',
      }) as string,
    /an encrypted private key;/,
    /openssl pkey -in encrypted\.pem/,
  ],
  [
    'a public key',
    () => p256.publicKey.export({ format: 'pem', type: 'spki' }) as string,
    /found a public key;/,
    /the private key that belongs to it/,
  ],
  [
    'a certificate',
    () => selfSigned(createIdentity()),
    /found a certificate;/,
    /the private key that belongs to it/,
  ],
  [
    'a PEM block of another type',
    () => encodePem('DH PARAMETERS', new Uint8Array(9)),
    /a PEM block 'DH PARAMETERS'/,
  ],
  [
    'a PEM file with two keys',
    () => GOLDEN.ed25519.pem + GOLDEN.p256.pem,
    /2 PEM blocks \('PRIVATE KEY', 'PRIVATE KEY'\)/,
    /only the private key/,
  ],
  ['a text without PEM', () => 'hello', /no PEM/, /inform DER/],
  ['nothing', () => '', /no PEM/, /inform DER/],
  [
    'a key without its end',
    () => GOLDEN.p256.pem.slice(0, 120),
    /cut off or not base64/,
    /complete copy/,
  ],
  [
    'a key with a missing character',
    () => GOLDEN.p256.pem.replace('MIGH', 'MIG'),
    /cut off or not base64/,
    /complete copy/,
  ],
  [
    'a key of other bytes',
    () => encodePem('PRIVATE KEY', new Uint8Array(48)),
    /contents are not PKCS#8/,
  ],
  [
    'the key 0',
    () => encodePem('PRIVATE KEY', encodePkcs8('p256', new Uint8Array(32))),
    /out of range/,
  ],
  [
    'a key above n',
    () => encodePem('PRIVATE KEY', encodePkcs8('p256', new Uint8Array(32).fill(255))),
    /out of range/,
  ],
];

for (const [name, make, found, remedy = /genpkey/] of refused) {
  test(`${name} is refused with its name and a remedy, and without key material`, async (t) => {
    const pem = await make();
    const error = t.throws(() => parseIdentity(pem), { instanceOf: TransportError });
    t.is(error.code, 'invalid_argument');
    t.regex(error.message, /^parseIdentity: found /);
    t.regex(error.message, found);
    t.regex(error.message, remedy);
    t.is(error.cause, undefined);
    for (const { bytes = new Uint8Array(0) } of pemBlocks(pem)) {
      const base64 = Buffer.from(bytes).toString('base64');
      for (let at = 0; at + 12 < base64.length; at += 12)
        t.false(error.message.includes(base64.slice(at, at + 12)));
    }
  });
}

test('a key with a byte changed or cut is refused or is another key, and no other error is thrown', (t) => {
  for (const type of KEY_TYPES) {
    const der = pemBlocks(GOLDEN[type].pem)[0]!.bytes!;
    for (let at = 0; at < der.length; at++) {
      for (const changed of [
        der.with(at, der[at]! ^ 0xff),
        der.with(at, der[at]! ^ 1),
        der.subarray(0, at),
      ]) {
        try {
          const { nodeId } = parseIdentity(encodePem('PRIVATE KEY', changed));
          if (at !== VERSION_AT[type]) t.not(nodeId, GOLDEN[type].nodeId, `byte ${at}`);
        } catch (error) {
          t.true(error instanceof TransportError, String(error));
        }
      }
    }
  }
});

test('an argument that is not a text throws a TypeError', (t) => {
  const parse = parseIdentity as (pem: unknown) => unknown;
  t.throws(() => parse(Buffer.from(GOLDEN.p256.pem)), {
    instanceOf: TypeError,
    message: /read the file as 'utf8'/,
  });
  t.throws(() => parse(undefined), { instanceOf: TypeError });
});

/** The position of the version number; the second version only allows additional elements. */
const VERSION_AT = { ed25519: 4, p256: 5 };

function sequence(hex: string): string {
  return `30${length(hex)}${hex}`;
}

function octets(hex: string): string {
  return `04${length(hex)}${hex}`;
}

function length(hex: string): string {
  const bytes = hex.length / 2;
  return bytes < 128 ? bytes.toString(16).padStart(2, '0') : `81${bytes.toString(16)}`;
}
