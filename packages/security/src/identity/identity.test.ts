// Tests of creating identities and of signing with them.

import { createPrivateKey, createPublicKey } from 'node:crypto';
import { inspect } from 'node:util';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { typeError } from '../testing/type-error.ts';
import { createIdentity, openIdentity } from './identity.ts';
import { KEY_TYPES } from './public-key.ts';
import { toHex, utf8 } from './testing/bytes.ts';
import { GOLDEN } from './testing/golden.ts';

test('an identity is Ed25519 by default', (t) => {
  t.is(createIdentity().type, 'ed25519');
  t.is(createIdentity({ type: 'p256' }).type, 'p256');
  t.is(createIdentity({ type: undefined, random: undefined }).type, 'ed25519');
});

for (const type of KEY_TYPES) {
  test(`${type}: two new identities are never equal, except with the same seed`, (t) => {
    t.not(createIdentity({ type }).nodeId, createIdentity({ type }).nodeId);
    const seeded = (seed: number) => createIdentity({ type, random: seededRandom(seed) });
    t.is(seeded(1).key, seeded(1).key);
    t.not(seeded(1).nodeId, seeded(2).nodeId);
  });

  test(`${type}: the node id, the public key and the PEM agree with OpenSSL for the same secret`, (t) => {
    const { secret, pem, spki, nodeId } = GOLDEN[type];
    const identity = openIdentity(type, secret);
    t.is(identity.nodeId, nodeId);
    t.is(toHex(identity.publicKey), spki);
    t.is(identity.key, pem);
  });

  test(`${type}: the key and the public key agree with Node`, (t) => {
    const { key, publicKey } = createIdentity({ type });
    const handle = createPrivateKey(key);
    t.is(handle.export({ format: 'pem', type: 'pkcs8' }), key);
    t.deepEqual(
      new Uint8Array(createPublicKey(handle).export({ format: 'der', type: 'spki' })),
      publicKey,
    );
    t.is(publicKey.constructor, Uint8Array);
  });

  test(`${type}: printing or copying an identity does not show its key`, (t) => {
    const identity = createIdentity({ type });
    const body = identity.key.split('\n').slice(1, -2).join('');
    const secret = toHex(
      new Uint8Array(createPrivateKey(identity.key).export({ format: 'der', type: 'pkcs8' })),
    );
    const shown = [
      JSON.stringify(identity),
      JSON.stringify({ ...identity }),
      inspect(identity),
      inspect(identity, { showHidden: true, getters: true, depth: 9 }),
      String(identity),
      inspect(structuredClone(identity)),
    ].join('\n');
    t.true(shown.includes(identity.nodeId));
    for (const leak of ['PRIVATE', body.slice(-30), secret.slice(-60), 'secret'])
      t.false(shown.includes(leak), leak.slice(0, 7));
    t.deepEqual(Object.keys(identity), ['nodeId', 'type', 'publicKey']);
    t.deepEqual(Reflect.ownKeys(identity), ['nodeId', 'type', 'publicKey']);
  });
}

test('an invalid option throws a TypeError that names it', (t) => {
  const create = createIdentity as (options: unknown) => unknown;
  t.throws(
    () => create({ type: 'rsa' }),
    typeError(`createIdentity: type: must be 'ed25519' or 'p256', got "rsa"`),
  );
  t.throws(() => create({ random: 4 }), typeError(/^createIdentity: random: must be a function/));
  t.throws(() => create({ tipe: 'p256' }), typeError(/did you mean 'type'/));
  t.throws(
    () => create(null),
    typeError(/^createIdentity: expected an object of options, got null/),
  );
});

test('a random source must give numbers from 0 up to 1 to make a key', (t) => {
  for (const value of [1, -0.1, Number.NaN, undefined, '0']) {
    for (const type of KEY_TYPES) {
      t.throws(
        () => createIdentity({ type, random: () => value as number }),
        typeError(/^createIdentity: random: must return numbers/),
      );
    }
  }
});

test('a P-256 key is in range for any random numbers', (t) => {
  for (const value of [0, 1 - 2 ** -32, 0.5])
    t.notThrows(() => createIdentity({ type: 'p256', random: () => value }).sign(utf8('x')));
});

test('only bytes are signed', (t) => {
  const identity = createIdentity();
  for (const message of ['text', undefined, [1, 2]])
    t.throws(() => identity.sign(message as never), typeError(/must be a Uint8Array/));
  t.deepEqual(identity.sign(Buffer.from('hello')), identity.sign(utf8('hello')));
});
