// Tests that both builds of the primitives must pass.

import test from 'ava';
import * as node from './primitives.node.ts';
import * as portable from './primitives.ts';
import type { IdentityKeyType } from './public-key.ts';
import { P256_ORDER } from './strict-signature.ts';
import { fromHex, toHex, utf8 } from './testing/bytes.ts';

const builds: [string, typeof portable][] = [
  ['portable', portable],
  ['Node', node],
];

test('both builds have the same functions', (t) => {
  t.deepEqual(Object.keys(node).sort(), Object.keys(portable).sort());
});

for (const [name, { sha256, openSecret, verify }] of builds) {
  test(`${name}: SHA-256 has the result of FIPS 180-4`, (t) => {
    t.is(
      toHex(sha256(utf8('abc'))),
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  test(`${name}: Ed25519 has the signature of RFC 8032 §7.1`, (t) => {
    const secret = fromHex('c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7');
    const message = fromHex('af82');
    const signature =
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a';
    const { point, sign } = openSecret('ed25519', secret);
    t.is(toHex(point), 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025');
    t.is(toHex(sign(message)), signature);
    t.true(verify({ type: 'ed25519', point }, message, fromHex(signature)));
  });

  test(`${name}: P-256 has the key of RFC 6979 §A.2.5, and accepts its signature with the lower s`, (t) => {
    const secret = fromHex('c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721');
    const x = '60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6';
    const y = '7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299';
    const { point } = openSecret('p256', secret);
    t.is(toHex(point), `04${x}${y}`);
    t.true(verify({ type: 'p256', point }, utf8('sample'), fromHex(SAMPLE)));
  });

  for (const type of ['ed25519', 'p256'] as const) {
    test(`${name}: both builds accept a signature made with ${type}`, (t) => {
      for (let seed = 1; seed <= 20; seed++) {
        const { point, sign } = openSecret(type, new Uint8Array(32).fill(seed));
        const message = new Uint8Array(seed * 37).fill(seed);
        const signature = sign(message);
        t.is(signature.constructor, Uint8Array);
        t.is(signature.length, 64);
        for (const [, other] of builds) t.true(other.verify({ type, point }, message, signature));
      }
    });

    test(`${name}: a ${type} signature is valid only for its message and its key`, (t) => {
      const { point, sign } = openSecret(type, new Uint8Array(32).fill(1));
      const other = openSecret(type, new Uint8Array(32).fill(2));
      const message = utf8('hello');
      const signature = sign(message);
      t.false(verify({ type, point }, utf8('hellp'), signature));
      t.false(verify({ type, point: other.point }, message, signature));
      t.false(verify({ type, point }, message, signature.subarray(0, 63)));
      t.false(verify({ type, point }, message, new Uint8Array([...signature, 0])));
      t.false(verify({ type, point }, message, new Uint8Array(0)));
      for (let bit = 0; bit < 512; bit += 17) {
        const changed = signature.slice();
        changed[bit >> 3]! ^= 1 << (bit & 7);
        t.false(verify({ type, point }, message, changed));
      }
    });
  }

  test(`${name}: the caller may keep and change returned bytes`, (t) => {
    const { point, sign } = openSecret('p256', new Uint8Array(32).fill(1));
    const first = sign(utf8('a'));
    const copy = first.slice();
    sign(utf8('b'));
    t.deepEqual(first, copy);
    t.is(point.constructor, Uint8Array);
    t.is(first.buffer.byteLength, 64);
  });

  test(`${name}: a P-256 key is a number from 1 to n − 1`, (t) => {
    const secret = (number: bigint) => fromHex(number.toString(16).padStart(64, '0'));
    for (const number of [1n, P256_ORDER - 1n])
      t.notThrows(() => openSecret('p256', secret(number)));
    for (const number of [0n, P256_ORDER, P256_ORDER + 1n, 2n ** 256n - 1n])
      t.throws(() => openSecret('p256', secret(number)));
  });
}

test('both builds make the same public keys and the same Ed25519 signatures', (t) => {
  for (let seed = 1; seed <= 50; seed++) {
    for (const type of ['ed25519', 'p256'] satisfies IdentityKeyType[]) {
      const [a, b] = [portable, node].map(({ openSecret }) =>
        openSecret(type, new Uint8Array(32).fill(seed)),
      );
      t.deepEqual(a!.point, b!.point);
      if (type === 'ed25519') t.deepEqual(a!.sign(utf8(`${seed}`)), b!.sign(utf8(`${seed}`)));
    }
  }
});

test('the portable build signs with P-256 like RFC 6979, except for the lower s', (t) => {
  const { sign } = portable.openSecret(
    'p256',
    fromHex('c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721'),
  );
  t.is(toHex(sign(utf8('sample'))), SAMPLE);
});

/**
 * The signature of RFC 6979 §A.2.5, SHA-256, 'sample'. The RFC has the higher s, f7cb1c94…; this
 * signature has n − s.
 */
const SAMPLE = `efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716${(P256_ORDER - 0xf7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8n).toString(16).padStart(64, '0')}`;
