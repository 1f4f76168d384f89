// Tests of cleaning and truncating text from peers.

import test from 'ava';
import { cleanText, inMs, truncateText } from './text.ts';

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
