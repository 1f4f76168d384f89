// Tests of both SHA-256 implementations.

import { randomBytes } from '@trunkline/transport-core/backend';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { createHasher, portableHasher } from './sha256.ts';

test('the hashes of the empty text and of abc are those of FIPS 180-4', (t) => {
  for (const make of [createHasher, portableHasher]) {
    t.is(
      make().hexWith(new Uint8Array(0)),
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    t.is(
      make().hexWith(new TextEncoder().encode('abc')),
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  }
});

test('the hashes of the runtime and of the library are equal, however the bytes are split', (t) => {
  const random = seededRandom(1);
  const [one, other] = [createHasher(), portableHasher()];
  for (let i = 0; i < 50; i++) {
    const bytes = randomBytes(random, Math.floor(random() * 300));
    t.is(one.hexWith(bytes), other.hexWith(bytes));
    one.update(bytes);
    other.update(bytes);
  }
});
