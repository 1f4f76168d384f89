// Checks that both builds of the primitives compute the same bytes and refuse the same input.

import test from 'ava';
import { TAG } from './framework/suite.ts';
import { suite as native } from './primitives.node.ts';
import { suite as portable } from './primitives.ts';
import { equal, fromHex, pattern, toHex } from './testing/bytes.ts';
import { suites } from './testing/suites.ts';

test('keys and shared secrets are the same for keys of any form', (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const [one, other] = [portable.keyPair(pattern(32, seed)), native.keyPair(pattern(32, seed))];
    t.is(toHex(one.publicKey), toHex(other.publicKey));
    // Any 32 bytes are a public key, even with the highest bit set, which is ignored (RFC 7748 §5).
    const theirs = pattern(32, seed + 1_000);
    t.is(toHex(one.agree(theirs)!), toHex(other.agree(theirs)!));
    const high = theirs.slice();
    high[31]! ^= 0x80;
    t.is(toHex(other.agree(high)!), toHex(other.agree(theirs)!));
    t.is(toHex(one.agree(high)!), toHex(other.agree(high)!));
  }
});

for (const { name, suite } of suites) {
  test(`${name}: the key agreement of RFC 7748 §6.1`, (t) => {
    const alice = suite.keyPair(
      fromHex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a'),
    );
    const bob = suite.keyPair(
      fromHex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb'),
    );
    t.is(
      toHex(alice.publicKey),
      '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a',
    );
    t.is(toHex(bob.publicKey), 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f');
    t.is(
      toHex(alice.agree(bob.publicKey)!),
      '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
    );
    t.is(
      toHex(bob.agree(alice.publicKey)!),
      '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
    );
  });

  test(`${name}: keys of low order give no shared secret`, (t) => {
    const pair = suite.keyPair(pattern(32, 7));
    for (const point of LOW_ORDER) {
      t.is(pair.agree(fromHex(point)), undefined, point);
      const high = fromHex(point);
      high[31]! |= 0x80;
      t.is(pair.agree(high), undefined, `${point} with its highest bit`);
    }
  });

  test(`${name}: a ciphertext with any byte changed or missing is not authentic`, (t) => {
    const [key, nonce, ad] = [pattern(32, 1), pattern(12, 2), pattern(32, 3)];
    const sealed = new Uint8Array(20 + TAG);
    suite.seal({ key, nonce }, ad, pattern(20, 4), sealed, 0);
    t.deepEqual(suite.open({ key, nonce }, ad, sealed), pattern(20, 4) as Uint8Array<ArrayBuffer>);
    for (let i = 0; i < sealed.length; i++) {
      const altered = sealed.slice();
      altered[i]! ^= 1;
      t.is(suite.open({ key, nonce }, ad, altered), undefined);
      t.is(suite.open({ key, nonce }, ad, sealed.subarray(0, i)), undefined);
    }
    t.is(suite.open({ key, nonce }, undefined, sealed), undefined);
    t.is(suite.open({ key, nonce: pattern(12, 3) }, ad, sealed), undefined);
    t.is(suite.open({ key: pattern(32, 2), nonce }, ad, sealed), undefined);
  });

  test(`${name}: a plaintext is in fresh memory, and not a Buffer`, (t) => {
    const sealed = new Uint8Array(100 + TAG);
    suite.seal({ key: pattern(32), nonce: pattern(12) }, undefined, pattern(100), sealed, 0);
    const [one, other] = [
      suite.open({ key: pattern(32), nonce: pattern(12) }, undefined, sealed)!,
      suite.open({ key: pattern(32), nonce: pattern(12) }, undefined, sealed)!,
    ];
    t.is(Object.getPrototypeOf(one), Uint8Array.prototype);
    other.fill(0);
    sealed.fill(0);
    t.deepEqual(one, pattern(100) as Uint8Array<ArrayBuffer>);
  });
}

test('hashes and ciphertexts are the same at every length', (t) => {
  const lengths = [...Array.from({ length: 200 }, (_, i) => i), 1_000, 4_096, 65_519];
  for (const length of lengths) {
    const data = pattern(length, length + 1);
    t.is(toHex(portable.hash(pattern(32), data)), toHex(native.hash(pattern(32), data)));
    t.is(toHex(portable.hmac(pattern(32), data)), toHex(native.hmac(pattern(32), data)));
    for (const ad of [undefined, pattern(32, 9)]) {
      const [one, other] = [new Uint8Array(length + TAG + 5), new Uint8Array(length + TAG + 5)];
      portable.seal({ key: pattern(32), nonce: pattern(12) }, ad, data, one, 3);
      native.seal({ key: pattern(32), nonce: pattern(12) }, ad, data, other, 3);
      t.true(equal(one, other), `sealed: ${length} bytes`);
      const sealed = one.subarray(3, -2);
      t.true(
        equal(portable.open({ key: pattern(32), nonce: pattern(12) }, ad, sealed)!, data),
        `opened: ${length} bytes`,
      );
      t.true(
        equal(native.open({ key: pattern(32), nonce: pattern(12) }, ad, sealed)!, data),
        `opened: ${length} bytes`,
      );
    }
  }
});

test('the ciphertext of RFC 8439 §2.8.2', (t) => {
  const plaintext = new TextEncoder().encode(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
  );
  for (const { suite } of suites) {
    const sealed = new Uint8Array(plaintext.length + TAG);
    const key = fromHex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f');
    suite.seal(
      { key, nonce: fromHex('070000004041424344454647') },
      fromHex('50515253c0c1c2c3c4c5c6c7'),
      plaintext,
      sealed,
      0,
    );
    t.is(toHex(sealed.subarray(-TAG)), '1ae10b594f09e26a7e902ecbd0600691');
  }
});

/**
 * The points of small order of Curve25519 and its twist, in all 255-bit encodings
 * (cr.yp.to/ecdh.html, "validate").
 */
const LOW_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];
