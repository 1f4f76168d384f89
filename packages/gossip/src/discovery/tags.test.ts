// Tests of the tags that stand for topics.

import { bytesToHex } from '@noble/hashes/utils.js';
import { randomBytes } from '@trunkline/transport-core/backend';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { hasTag, makeTags, taggerOf, type Telling } from './tags.ts';

const random = seededRandom(7);
const id = (digit: string) => digit.repeat(64);
const telling: Telling = {
  use: 'list',
  teller: id('a'),
  hearer: id('b'),
  nonce: new Uint8Array(32).fill(1),
};
const key = new Uint8Array(32).fill(5);

test('a tag belongs to one topic and one answer: another key, use, sender, receiver or nonce gives another tag', (t) => {
  const tags = [
    taggerOf(telling)(key),
    taggerOf(telling)(new Uint8Array(32).fill(6)),
    taggerOf({ ...telling, use: 'ask' })(key),
    taggerOf({ ...telling, teller: id('c') })(key),
    taggerOf({ ...telling, hearer: id('c') })(key),
    taggerOf({ ...telling, teller: id('b'), hearer: id('a') })(key),
    taggerOf({ ...telling, nonce: new Uint8Array(32).fill(2) })(key),
  ].map(bytesToHex);
  t.is(new Set(tags).size, tags.length);
  t.is(
    bytesToHex(taggerOf({ ...telling })(key.slice())),
    tags[0]!,
    'the same input gives the same tag',
  );
});

test('tags follow the documented formula', (t) => {
  t.is(bytesToHex(taggerOf(telling)(key)), '7eefac537296bcaf8eb7b243c7dd4b7b');
});

test('tags are found among others, however many there are, and no others are found', (t) => {
  const tagger = taggerOf(telling);
  for (const count of [0, 1, 2, 7, 8, 9, 100, 1_024]) {
    const keys = Array.from({ length: count }, () => randomBytes(random, 32));
    const tags = makeTags(tagger, keys, random, 8);
    for (const known of keys) t.true(hasTag(tags, tagger(known)));
    for (let i = 0; i < 50; i++) t.false(hasTag(tags, randomBytes(random, 16)));
  }
});

test('the number of topics is rounded up to a power of two, and they are sorted by their bytes', (t) => {
  const tagger = taggerOf(telling);
  const sizes = [0, 1, 8, 9, 16, 17, 1_000, 1_024].map((count) => {
    const tags = makeTags(
      tagger,
      Array.from({ length: count }, () => randomBytes(random, 32)),
      random,
      8,
    );
    const all = Array.from({ length: tags.length / 16 }, (_, i) =>
      bytesToHex(tags.subarray(16 * i, 16 * (i + 1))),
    );
    t.deepEqual(all, [...all].sort());
    t.is(new Set(all).size, all.length);
    return all.length;
  });
  t.deepEqual(sizes, [0, 8, 8, 16, 16, 32, 1_024, 1_024]);
});
