// Tests of the errors with which codecs refuse values.

import test from 'ava';
import { TransportError } from '../errors.ts';
import { member, quote } from '../text.ts';
import { type Codec, decodeAs, encodeAs, kindOf, refusal } from './codec.ts';

const codec = (run: () => never): Codec<unknown> => ({ name: 'own', encode: run, decode: run });
const bytes = new Uint8Array(1);
const errorsOf = (run: () => never): TransportError[] =>
  [() => encodeAs(codec(run), 'response', 1), () => decodeAs(codec(run), 'response', bytes)].map(
    (call) => {
      try {
        call();
      } catch (error) {
        if (error instanceof TransportError) return error;
        throw error;
      }
      throw new Error('nothing was refused');
    },
  );

test('a refusal names its path from the value, or from the place that the caller names', (t) => {
  const cause = new Error('x');
  const given = refusal('json', '.a[3]', 'is odd', cause);
  t.is(given.message, 'json: value.a[3]: is odd');
  for (const error of errorsOf(() => {
    throw given;
  })) {
    t.is(error.message, 'response.a[3]: is odd');
    t.is(error.code, 'invalid_argument');
    t.is(error.cause, cause);
    t.is(error.sent, undefined, 'that is for the caller to say');
  }
});

test('any other error of a codec becomes invalid_argument', (t) => {
  for (const thrown of [new Error('oops'), new TypeError('oops'), 'oops']) {
    for (const error of errorsOf(() => {
      throw thrown;
    })) {
      t.is(error.code, 'invalid_argument');
      t.is(error.message, "response: the codec 'own' refused it: oops");
      t.is(error.cause, thrown);
    }
  }
});

test("a codec's own TransportError keeps its code, as another object", (t) => {
  const own = new TransportError('data_loss', 'checksum');
  for (const error of errorsOf(() => {
    throw own;
  })) {
    t.is(error.code, 'data_loss');
    t.is(error.message, 'checksum');
    t.not(error, own);
  }
});

test('a codec that encodes to no bytes is a TypeError', (t) => {
  t.throws(
    () => encodeAs({ name: 'own', encode: () => 'text' as any, decode: () => 1 }, 'request', 1),
    {
      instanceOf: TypeError,
      message: "request: the codec 'own' must encode to a Uint8Array",
    },
  );
});

test('any value is described in a few words', (t) => {
  const hostile = new Proxy(
    {},
    {
      getPrototypeOf() {
        throw new Error('no');
      },
    },
  );
  const described: [unknown, string][] = [
    [undefined, 'undefined'],
    [null, 'null'],
    [NaN, 'NaN'],
    [1, 'a number'],
    ['x', 'a string'],
    [1n, 'a bigint'],
    [Symbol('s'), 'a symbol'],
    [() => 1, 'a function'],
    [[], 'an array'],
    [{}, 'an object'],
    [Object.create(null), 'an object'],
    [new Map(), 'a Map'],
    [new Error('x'), 'an Error'],
    [new Uint8Array(), 'a Uint8Array'],
    [hostile, 'an object'],
    [{ constructor: { name: 'x y\n' } }, 'an object'],
  ];
  for (const [value, words] of described) t.is(kindOf(value), words);
});

test('paths are written as in code', (t) => {
  t.is(
    ['a', 3, 'odd key', '', '__proto__', 'ü', Symbol('s')].map(member).join(''),
    '.a[3]["odd key"][""].__proto__.ü[Symbol(s)]',
  );
  t.is(member('a\nb'), '["a\\nb"]');
  t.true(member('k'.repeat(1_000)).length < 80);
  t.is(quote('x'.repeat(5), 3), '"xxx…"');
});
