// Tests of verifySignature. The strict rules about the signature itself are tested in
// strict-signature.test.ts.

import { generateKeyPairSync, sign } from 'node:crypto';
import { concatBytes } from '@noble/hashes/utils.js';
import test from 'ava';
import { createIdentity } from './identity.ts';
import { decodeSpki, KEY_TYPES } from './public-key.ts';
import { fromHex, toHex, utf8 } from './testing/bytes.ts';
import { verifySignature } from './verify-signature.ts';

const message = utf8('hello');

test('an SPKI in any other form verifies nothing', (t) => {
  const identity = createIdentity({ type: 'p256' });
  const { publicKey } = identity;
  const signature = identity.sign(message);
  const point = decodeSpki(publicKey)!.point;
  const compressed = concatBytes(new Uint8Array([2 + (point[64]! & 1)]), point.subarray(1, 33));
  t.true(verifySignature(publicKey, message, signature));
  t.true(verifySignature(Buffer.from(publicKey), Buffer.from(message), Buffer.from(signature)));
  for (const other of [
    fromHex(`3039301306072a8648ce3d020106082a8648ce3d030107032200${toHex(compressed)}`),
    fromHex(`308159${toHex(publicKey).slice(4)}`),
    concatBytes(publicKey, new Uint8Array(1)),
    publicKey.subarray(0, 90),
    publicKey.with(26, 6 + (point[64]! & 1)),
    point,
    new Uint8Array(0),
  ]) {
    t.false(verifySignature(other, message, signature));
  }
});

test('keys of other algorithms, and those with explicit curve parameters, verify nothing', (t) => {
  for (const { publicKey, privateKey } of [
    generateKeyPairSync('rsa', { modulusLength: 1024 }),
    generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' }),
  ]) {
    const signature = sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    const spki = publicKey.export({ format: 'der', type: 'spki' });
    t.false(verifySignature(spki, message, signature));
  }
});

test('an argument that is not bytes returns false, without an error', (t) => {
  const { publicKey } = createIdentity();
  for (const value of [undefined, null, 'text', 4, {}, [], new ArrayBuffer(64)] as never[]) {
    t.false(verifySignature(value, message, new Uint8Array(64)));
    t.false(verifySignature(publicKey, value, new Uint8Array(64)));
    t.false(verifySignature(publicKey, message, value));
  }
});

test('a signature of one key type is not valid for the other', (t) => {
  const [a, b] = KEY_TYPES.map((type) => createIdentity({ type }));
  t.false(verifySignature(a!.publicKey, message, b!.sign(message)));
  t.false(verifySignature(b!.publicKey, message, a!.sign(message)));
});
