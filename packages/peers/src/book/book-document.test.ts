// Tests of the text format of the address book.

import { TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { type BookDocument, formatBook, LARGEST_BOOK, parseBook } from './document.ts';
import { bookText, filledBook, idOf, makeBook, node, unreached } from './testing/addresses.ts';

const refusal = (text: string): TransportError => {
  try {
    parseBook(text);
  } catch (error) {
    if (error instanceof TransportError) return error;
    throw error;
  }
  throw new Error(`nothing was refused: ${text.slice(0, 100)}`);
};
const small = () => {
  const book = filledBook(2, 2);
  book.ban(idOf(0), 5);
  book.ban(idOf(99), 5);
  return formatBook(book.save(10));
};

test('a text that is cut off, or that has one changed byte, is refused', (t) => {
  const text = small();
  for (let length = 0; length < text.length; length++) {
    const error = refusal(text.slice(0, length));
    if (error.code !== 'data_loss' || !/is (empty|truncated|corrupt)/.test(error.message))
      t.fail(`${length}: ${error.message}`);
  }
  const start = text.indexOf('\n') + 1;
  for (let at = start; at < text.length; at++) {
    const changed = `${text.slice(0, at)}${text[at] === '1' ? '2' : '1'}${text.slice(at + 1)}`;
    if (refusal(changed).code !== 'data_loss') t.fail(String(at));
  }
  t.pass();
});

test('the error says what is wrong with a document', (t) => {
  const text = small();
  const [head = '', body = ''] = text.split('\n');
  const newer = `${JSON.stringify({ ...JSON.parse(head), version: 2 })}\n${body}\n`;
  const cases: [string, RegExp][] = [
    ['', /is empty/],
    [' \n ', /is empty/],
    ['hello', /corrupt: it does not begin like an address book/],
    ['{}\n{}\n', /does not begin/],
    ['null\n', /does not begin/],
    ['[]\n', /does not begin/],
    ['\u0000'.repeat(500), /does not begin/],
    [newer, /has version 2, but this software reads versions up to 1: use newer software/],
    [`${newer.split('\n')[0]}\nwhatever later versions have`, /has version 2/],
    [text.replace('"version":1', '"version":"x"'), /has no version/],
    [head, /truncated/],
    [`${head}\n${body}`, /truncated/],
    [`${head}\n${body.replace('"tried":true', '"tried":false')}\n`, /checksum is wrong/],
    [`${text}\n`, /checksum is wrong/],
    ['x'.repeat(LARGEST_BOOK + 1), /too large: 8388609 characters/],
  ];
  for (const [given, message] of cases) {
    const error = refusal(given);
    t.is(error.code, 'data_loss');
    t.regex(error.message, message);
    t.true(error.message.length < 200);
  }
});

test('content that is not a book is refused even if its checksum matches', (t) => {
  const list = { key: '', entries: [], buckets: [], bans: [] };
  t.deepEqual(parseBook(bookText(JSON.stringify(list))), list);
  const wrong = [{ key: 1 }, { entries: {} }, { buckets: [1] }, { bans: undefined }];
  for (const content of [null, [], 7, {}, ...wrong.map((part) => ({ ...list, ...part }))])
    t.regex(refusal(bookText(JSON.stringify(content))).message, /content is not an address book/);
  t.regex(refusal(bookText('{"key":')).message, /its content is not an address book/);
});

test('a full book of the longest addresses still fits: the last new entries are left out', (t) => {
  const long = (i: number) => `ws://h.d${i}.com:80/${'x'.repeat(230)}`;
  const entries = Array.from({ length: 20_000 }, (_, i) => ({
    ...node(i, long(i)),
    ...unreached,
    source: 'y'.repeat(120),
    tried: i < 4_000,
    added: 1_000_000,
    seen: 1_000_000,
  }));
  const buckets = Array.from({ length: 256 }, (_, row) =>
    Array.from({ length: 62 }, (_, i) => 4_000 + row * 62 + i),
  );
  const document: BookDocument = { key: 'ab'.repeat(32), entries, buckets, bans: [] };
  const text = formatBook(document);
  t.true(new TextEncoder().encode(text).length <= LARGEST_BOOK);
  const read = parseBook(text);
  t.true(read.entries.length > 14_000 && read.entries.length < 20_000, String(read.entries.length));
  t.true(read.buckets.flat().every((position) => position < read.entries.length));
  t.true(makeBook({ saved: read }).size > 12_000);
});
