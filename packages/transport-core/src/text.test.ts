// Tests of cleaning and truncating text from peers, and of text fields in their forms.

import test from 'ava';
import { TransportError } from './errors.ts';
import { cleanText, fieldsOf, inMs, truncateText } from './text.ts';

test('a text is cut to 1 KiB at a code point', (t) => {
  t.is(truncateText('short'), 'short');
  t.is(truncateText('x'.repeat(1024)), 'x'.repeat(1024));
  t.is(truncateText('x'.repeat(1025)), 'x'.repeat(1024));
  t.is(truncateText('é'.repeat(600)), 'é'.repeat(512));
  t.is(truncateText(`x${'😀'.repeat(300)}`), `x${'😀'.repeat(255)}`);
  t.is(truncateText('\ud800'.repeat(400)).length, 341);
});

test('a text for people has no control characters, line breaks, bidi marks or lone surrogates, and at most 1 KiB', (t) => {
  t.is(
    cleanText("an honest text: naïve, 日本語, עברית, 👩‍👩‍👧 'quoted' \\n"),
    "an honest text: naïve, 日本語, עברית, 👩‍👩‍👧 'quoted' \\n",
  );
  t.is(cleanText('one\ntwo\r\nthree\tfour\u2028five\u2029six'), 'one two  three four five six');
  const unfit =
    '\0\x07\b\x1b\x7f\x85\x9b\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069';
  for (const one of [...unfit, '\ud83d', '\ude00'])
    t.is(cleanText(`a${one}b`), 'a\ufffdb', JSON.stringify(one));
  t.is(cleanText('x'.repeat(39_000)), 'x'.repeat(1024));
  t.is(cleanText('\x1b'.repeat(39_000)), '\ufffd'.repeat(341));
  t.is(cleanText(''), '');
});

test('a duration is shown in whole milliseconds, at least one', (t) => {
  t.deepEqual([100 / 3, 30_000, 0.2, Infinity].map(inMs), [
    '33 ms',
    '30000 ms',
    '1 ms',
    'Infinity ms',
  ]);
});

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
