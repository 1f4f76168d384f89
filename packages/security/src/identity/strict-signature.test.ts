// Tests of edge cases of signatures, on both builds of the primitives.

import { ED25519_TORSION_SUBGROUP, ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import test from 'ava';
import { littleEndian } from './bytes.ts';
import * as node from './primitives.node.ts';
import * as portable from './primitives.ts';
import { encodeSpki, type PublicKey } from './public-key.ts';
import { isStrictPoint, P256_ORDER, withLowS } from './strict-signature.ts';
import { fromHex, toHex, utf8 } from './testing/bytes.ts';
import { verifySignature } from './verify-signature.ts';

// The Ed25519 cases are those of Chalkias, Garillot and Nikolaenko, 'Taming the Many EdDSAs' (SSR
// 2020), generated again. We accept the same cases as libsodium and dalek's verify_strict.

const { Point } = ed25519;
const L = Point.Fn.ORDER;
const torsion = ED25519_TORSION_SUBGROUP.map((hex) => Point.fromBytes(fromHex(hex), true));
const order8 = torsion.find((point) => !point.multiplyUnsafe(4n).is0())!;
type Point = typeof order8;

/**
 * Makes a signature from a key and a nonce, each with an optional defect. Tries one message after
 * another until `k` satisfies `isRight`.
 */
function forge(given: {
  a: bigint;
  addToA?: Point;
  r: bigint;
  addToR?: Point;
  isRight?: (k: bigint) => boolean;
}): Case {
  const { a, addToA = Point.ZERO, r, addToR = Point.ZERO, isRight = () => true } = given;
  const key = Point.BASE.multiplyUnsafe(a).add(addToA).toBytes();
  const nonce = Point.BASE.multiplyUnsafe(r).add(addToR).toBytes();
  for (let i = 0; ; i++) {
    const message = utf8(`message ${i}`);
    const k = littleEndian(sha512(concatBytes(nonce, key, message))) % L;
    if (isRight(k))
      return {
        key: { type: 'ed25519', point: key },
        message,
        signature: concatBytes(nonce, scalar((r + k * a) % L)),
      };
  }
}

const honest = forge({ a: 1234567n, r: 7654321n });
const s = littleEndian(honest.signature.subarray(32));
const withS = (value: bigint): Case => ({
  ...honest,
  signature: concatBytes(honest.signature.subarray(0, 32), scalar(value)),
});
const withR = (r: Uint8Array): Case => ({
  ...honest,
  signature: concatBytes(r, honest.signature.subarray(32)),
});
const withA = (point: Uint8Array): Case => ({ ...honest, key: { type: 'ed25519', point } });

const ed25519Cases: [string, Case, boolean][] = [
  ['an honest signature', honest, true],
  [
    'a key with a part of small order that the challenge cancels',
    forge({ a: 5n, addToA: order8, r: 9n, isRight: (k) => k % 8n === 0n }),
    true,
  ],
  [
    'a key with a part of small order that the challenge does not cancel',
    forge({ a: 5n, addToA: order8, r: 9n, isRight: (k) => k % 8n !== 0n }),
    false,
  ],
  ['a nonce with a part of small order', forge({ a: 5n, r: 9n, addToR: order8 }), false],
  [
    'a pair of key and nonce whose parts of small order cancel only after multiplication by 8',
    forge({ a: 5n, addToA: order8, r: 9n, addToR: order8 }),
    false,
  ],
  ['a nonce of small order', forge({ a: 5n, r: 0n }), false],
  [
    'a key of small order',
    forge({ a: 0n, addToA: order8, r: 9n, isRight: (k) => k % 8n === 0n }),
    false,
  ],
  ['a key of zero', forge({ a: 0n, r: 9n }), false],
  [
    'a pair of key and nonce of small order with S = 0',
    forge({
      a: 0n,
      addToA: order8,
      r: 0n,
      addToR: order8.multiplyUnsafe(7n),
      isRight: (k) => k % 8n === 1n,
    }),
    false,
  ],
  ['a signature with S + L instead of S', withS(s + L), false],
  ['a signature with S + 8 L instead of S', withS(s + 8n * L), false],
  ['a signature with S = L', withS(L), false],
  ['a signature whose S has all bits set', withS(2n ** 256n - 1n), false],
  ['a signature with a wrong S', withS(s + 1n), false],
  ['a nonce that is not a point', withR(scalar(2n)), false],
  ['a key that is not a point', withA(scalar(2n)), false],
  ['a negated nonce', withR(flipSign(honest.signature.subarray(0, 32))), false],
  ['a negated key', withA(flipSign(honest.key.point)), false],
  ...ED25519_TORSION_SUBGROUP.flatMap((hex, i): [string, Case, boolean][] => [
    [`key ${i} of small order`, withA(fromHex(hex)), false],
    [`nonce ${i} of small order`, withR(fromHex(hex)), false],
  ]),
  ...nonCanonical().flatMap((point, i): [string, Case, boolean][] => [
    [`non-canonical key ${i}`, withA(point), false],
    [`non-canonical nonce ${i}`, withR(point), false],
  ]),
];

const p256Key = portable.openSecret('p256', new Uint8Array(32).fill(3));
const message = utf8('hello');
const signature = p256Key.sign(message);
const [r32, s32] = [signature.subarray(0, 32), signature.subarray(32)];
const highS = fromHex(number(P256_ORDER - BigInt(`0x${toHex(s32)}`)));
const p256Case = (changed: Partial<Case>): Case => ({
  key: { type: 'p256', point: p256Key.point },
  message,
  signature,
  ...changed,
});
const parts = (a: Uint8Array, b: Uint8Array): Case => p256Case({ signature: concatBytes(a, b) });
const point256 = (x: Uint8Array, y: Uint8Array): Case =>
  p256Case({ key: { type: 'p256', point: concatBytes(new Uint8Array([4]), x, y) } });
const x = p256Key.point.subarray(1, 33);
const y = p256Key.point.subarray(33);
const zero = new Uint8Array(32);

const p256Cases: [string, Case, boolean][] = [
  ['an honest signature', p256Case({}), true],
  ['a signature with the higher s', parts(r32, highS), false],
  ['a signature with r = 0', parts(zero, s32), false],
  ['a signature with s = 0', parts(r32, zero), false],
  ['a signature with r = s = 0', parts(zero, zero), false],
  ['a signature with r = n', parts(fromHex(number(P256_ORDER)), s32), false],
  ['a signature with s = n', parts(r32, fromHex(number(P256_ORDER))), false],
  ['a signature whose r has all bits set', parts(new Uint8Array(32).fill(255), s32), false],
  ['a signature with r and s exchanged', parts(s32, r32), false],
  [
    'a signature in DER',
    p256Case({ signature: p256.Signature.fromBytes(signature).toBytes('der') }),
    false,
  ],
  ['a key that is not on the curve', point256(x, y.with(31, y[31]! ^ 1)), false],
  ['the key (0, 0)', point256(zero, zero), false],
  [
    'a key with a coordinate that is not below p',
    point256(fromHex(number(p256.Point.Fp.ORDER + 5n)), smallPointY()),
    false,
  ],
  [
    'a negated key',
    point256(x, fromHex(number(p256.Point.Fp.ORDER - BigInt(`0x${toHex(y)}`)))),
    false,
  ],
  [
    'a compressed key',
    p256Case({ key: { type: 'p256', point: p256.Point.fromBytes(p256Key.point).toBytes(true) } }),
    false,
  ],
  [
    'a hybrid key',
    p256Case({ key: { type: 'p256', point: p256Key.point.with(0, 6 + (y[31]! & 1)) } }),
    false,
  ],
];

for (const [type, cases] of [
  ['Ed25519', ed25519Cases],
  ['P-256', p256Cases],
] as const) {
  for (const [name, { key, message, signature }, expected] of cases) {
    test(`${type}: ${name} is ${expected ? 'accepted' : 'refused'} by both builds`, (t) => {
      const spki = encodeSpki(key);
      t.is(verifySignature(spki, message, signature), expected);
      // `verifySignature` accepts no other form of key.
      const isPlain = key.type === 'ed25519' || key.point[0] === 4;
      if (isPlain)
        t.deepEqual(
          [portable.verify(key, message, signature), node.verify(key, message, signature)],
          [expected, expected],
        );
    });
  }
}

test('the cases are correct: the cofactored equation accepts what both builds refuse', (t) => {
  for (const name of [
    'a nonce with a part of small order',
    'a key with a part of small order that the challenge does not cancel',
  ]) {
    const [, { key, message, signature }] = ed25519Cases.find(([each]) => each === name)!;
    t.true(ed25519.verify(signature, message, key.point));
  }
});

test('the five y of small order are those of the eight points', (t) => {
  t.is(torsion.length, 8);
  for (const point of torsion) t.false(isStrictPoint(point.toBytes()));
  t.true(isStrictPoint(Point.BASE.toBytes()));
});

test('of two P-256 signatures the one with the lower s is returned', (t) => {
  t.deepEqual(withLowS(concatBytes(r32, highS)), signature);
  t.deepEqual(withLowS(signature), signature);
});

interface Case {
  key: PublicKey;
  message: Uint8Array;
  signature: Uint8Array;
}

function scalar(value: bigint): Uint8Array {
  return fromHex(number(value)).reverse();
}

function number(value: bigint): string {
  return value.toString(16).padStart(64, '0');
}

function flipSign(point: Uint8Array): Uint8Array {
  return point.with(31, point[31]! ^ 0x80);
}

/**
 * Returns every y from p to 2^255 − 1, and the encodings of the points with x = 0 whose sign bit is
 * set.
 */
function nonCanonical(): Uint8Array[] {
  const p = Point.Fp.ORDER;
  const above = Array.from({ length: 19 }, (_, i) => scalar(p + BigInt(i)));
  return [...above, ...above.map(flipSign), flipSign(scalar(1n)), flipSign(scalar(p - 1n))];
}

/** Returns the y of a point with x = 5, whose x could also be encoded as p + 5. */
function smallPointY(): Uint8Array {
  return p256.Point.fromBytes(concatBytes(new Uint8Array([2]), fromHex(number(5n))))
    .toBytes(false)
    .subarray(33);
}
