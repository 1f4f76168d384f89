// Tests of reading keys, certificates and authorities.

import { Buffer } from 'node:buffer';
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { createAuthority, createIdentity, nodeIdOf, selfSigned } from '@trunkline/security';
import { TransportError } from '@trunkline/transport-core';
import type { TlsOptions } from '@trunkline/transport-core/backend';
import test from 'ava';
import { keyWeakness, nodeIdOfCertificate, readCredentials } from './credentials.ts';

const a = createIdentity();
const b = createIdentity({ type: 'p256' });
const authority = await createAuthority();
const certA = await selfSigned(a);
const certB = await authority.issue(b);

const wrong = (
  t: { throws: typeof test.prototype.throws },
  options: TlsOptions,
  message: RegExp,
): void => {
  const error = t.throws(() => readCredentials(options), {
    instanceOf: TransportError,
    message,
  }) as TransportError;
  if (error.code !== 'invalid_argument') throw new Error(`the code is ${error.code}`);
};

test('the node id is that of the identity, for both kinds of keys', (t) => {
  t.is(readCredentials({ key: a.key, cert: certA }).nodeId, a.nodeId);
  t.is(readCredentials({ key: b.key, cert: certB, ca: authority.cert }).nodeId, b.nodeId);
  t.is(nodeIdOfCertificate(new X509Certificate(certB)), nodeIdOf(certB));
});

test('texts may be bytes, and a certificate may contain its chain', (t) => {
  const bytes = (pem: string) => new TextEncoder().encode(pem);
  t.is(
    readCredentials({
      key: bytes(b.key),
      cert: bytes(certB + authority.cert),
      ca: [bytes(authority.cert)],
    }).nodeId,
    b.nodeId,
  );
});

test('without an authority the public authorities are not trusted', (t) => {
  t.deepEqual(readCredentials({ key: a.key, cert: certA }).options.ca, []);
});

test('unusable credentials are refused with invalid_argument, and the error says which ones and why', (t) => {
  wrong(
    t,
    { key: b.key, cert: certA },
    /^tls\.key: it does not match tls\.cert, whose subject is 'CN=/,
  );
  wrong(t, { key: 'nothing', cert: certA }, /^tls\.key: it is not a private key in PEM/);
  wrong(t, { key: a.key, cert: 'nothing' }, /^tls\.cert: it contains no certificate in PEM/);
  wrong(
    t,
    { key: a.key, cert: certA.replace(/\n[A-Za-z0-9+/]{20}/, '\nAAAAAAAAAAAAAAAAAAAA') },
    /^tls\.cert: certificate 1 of 1 can't be read/,
  );
  wrong(t, { key: a.key, cert: certA, ca: a.key }, /^tls\.ca: it contains no certificate/);
  wrong(t, { key: a.key, cert: certA, ca: [authority.cert, 'x'] }, /^tls\.ca/);
  const { privateKey } = generateKeyPairSync('ed25519');
  const encrypted = privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'secret',
  }) as string;
  wrong(t, { key: encrypted, cert: certA }, /^tls\.key: it is encrypted; decrypt it first/);
});

test('no error contains key material', (t) => {
  const secret = a.key.split('\n')[1]!;
  const error = t.throws(() => readCredentials({ key: a.key, cert: certB }));
  t.false(JSON.stringify([error?.message, error?.stack, String(error?.cause)]).includes(secret));
});

test('only Ed25519 and P-256 keys are identities', (t) => {
  const weakness = (publicKey: unknown) => keyWeakness({ publicKey } as X509Certificate);
  t.is(weakness(generateKeyPairSync('ed25519').publicKey), undefined);
  t.is(weakness(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey), undefined);
  t.regex(
    weakness(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey) ?? '',
    /of type rsa, 2048 bits/,
  );
  t.regex(
    weakness(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey) ?? '',
    /on the curve secp384r1/,
  );
  const compressed = createPublicKey({ key: COMPRESSED, ...SPKI });
  t.regex(weakness(compressed) ?? '', /compressed point/);
  const hybrid = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export(SPKI);
  hybrid[26] = 6 + (hybrid[90]! & 1);
  t.regex(weakness(createPublicKey({ key: hybrid, ...SPKI })) ?? '', /hybrid/);
  t.regex(weakness(generateKeyPairSync('ed448').publicKey) ?? '', /of type ed448/);
});

const SPKI = { format: 'der', type: 'spki' } as const;
/** A P-256 key as written by `openssl ec -conv_form compressed -pubout`. */
const COMPRESSED = Buffer.from(
  '3039301306072a8648ce3d020106082a8648ce3d030107032200029e8d9f8e18f330b98b6524d1d5e2c6b164c437ae5930ab1526fec03ad7500179',
  'hex',
);
