// Tests of text fields in their forms.

import test from 'ava';
import { TransportError } from './errors.ts';
import { fieldsOf } from './text.ts';

test('a plain object is returned as it is, pairs as an object', (t) => {
  const plain = { a: 'b' };
  t.is(fieldsOf(plain, 'x'), plain);
  const pairs = function* () {
    yield ['a', 'b'] as const;
  };
  for (const given of [new Headers(plain), new Map([['a', 'b']]), [['a', 'b'] as const], pairs()])
    t.deepEqual({ ...fieldsOf(given, 'x') }, plain);
  t.deepEqual(Object.entries(fieldsOf(new Map([['__proto__', 'p']]), 'x')), [['__proto__', 'p']]);
});

test('other objects are refused, and names that are given twice', (t) => {
  const message = 'x: must be strings in a plain object, Headers, a Map or a list of pairs';
  for (const given of [
    new Date(0),
    new (class Own {})(),
    'ab',
    5,
    null,
    ['ab'],
    [5],
    new Set(['ab']),
  ])
    t.throws(() => fieldsOf(given as never, 'x'), { instanceOf: TypeError, message });
  t.throws(() => fieldsOf(new URLSearchParams('a=1&a=2'), 'x'), {
    instanceOf: TypeError,
    message: "x: 'a' is given twice",
  });
});

test('the metadata of an error takes the same forms', (t) => {
  const { metadata } = new TransportError('internal', '', { metadata: new Headers({ a: 'b' }) });
  t.deepEqual({ ...metadata }, { a: 'b' });
});
