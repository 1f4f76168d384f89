// Tests of questions for nodes on topics.

import { randomBytes } from '@trunkline/transport-core/backend';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { encodeQuestion, readQuestion } from './tags.ts';

const random = seededRandom(5);
const [ann, bob, eve] = ['a', 'b', 'e'].map((digit) => digit.repeat(64)) as [
  string,
  string,
  string,
];
const keys = Array.from({ length: 20 }, (_, i) => new Uint8Array(32).fill(i + 1));
const between = { teller: ann, hearer: bob };

test('a question covers its first sixteen topics, its asker and its receiver', (t) => {
  const bytes = encodeQuestion(between, keys, random);
  t.is(bytes.length, 16 + 16 * 16);
  const isAbout = readQuestion(between, bytes)!;
  for (const [i, key] of keys.entries()) t.is(isAbout(key), i < 16);
  t.false(
    readQuestion({ teller: eve, hearer: bob }, bytes)!(keys[0]!),
    'Eve overheard it, and asks it herself',
  );
  t.false(readQuestion({ teller: ann, hearer: eve }, bytes)!(keys[0]!), 'Eve reads it');
  t.notDeepEqual(
    encodeQuestion(between, keys, random).subarray(16),
    bytes.subarray(16),
    'asked again it differs',
  );
});

test('an invalid question is ignored; nothing throws', (t) => {
  for (let length = 0; length < 400; length++) {
    const question = readQuestion(between, randomBytes(random, length));
    t.is(question === undefined, length < 16 || length % 16 !== 0 || length > 272, String(length));
    t.not(question?.(keys[0]!), true);
  }
});
