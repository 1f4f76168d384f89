// Tests of the tags that stand for topics.

import { bytesToHex } from '@noble/hashes/utils.js';
import { randomBytes, seededRandom } from '@trunkline/transport-core';
import test from 'ava';
import { hasTag, makeTags, Tagger, type Telling } from './tags.ts';

const random = seededRandom(7);
const id = (digit: string) => digit.repeat(64);
const telling: Telling = {
  use: 'list',
  teller: id('a'),
  hearer: id('b'),
  nonce: new Uint8Array(32).fill(1),
};
const key = new Uint8Array(32).fill(5);

test('a tag is of one topic and one telling: another key, use, teller, hearer or nonce makes another', (t) => {
  const tags = [
    new Tagger(telling).tag(key),
    new Tagger(telling).tag(new Uint8Array(32).fill(6)),
    new Tagger({ ...telling, use: 'ask' }).tag(key),
    new Tagger({ ...telling, teller: id('c') }).tag(key),
    new Tagger({ ...telling, hearer: id('c') }).tag(key),
    new Tagger({ ...telling, teller: id('b'), hearer: id('a') }).tag(key),
    new Tagger({ ...telling, nonce: new Uint8Array(32).fill(2) }).tag(key),
  ].map(bytesToHex);
  t.is(new Set(tags).size, tags.length);
  t.is(
    bytesToHex(new Tagger({ ...telling }).tag(key.slice())),
    tags[0]!,
    'the same again is the same',
  );
});

test('a tag is what the documents say', (t) => {
  t.is(bytesToHex(new Tagger(telling).tag(key)), '7eefac537296bcaf8eb7b243c7dd4b7b');
});

test('tags are found among others, whatever their number, and no others are', (t) => {
  const tagger = new Tagger(telling);
  for (const count of [0, 1, 2, 7, 8, 9, 100, 1_024]) {
    const keys = Array.from({ length: count }, () => randomBytes(random, 32));
    const tags = makeTags(tagger, keys, random, 8);
    for (const known of keys) t.true(hasTag(tags, tagger.tag(known)));
    for (let i = 0; i < 50; i++) t.false(hasTag(tags, randomBytes(random, 16)));
  }
});

test('how many topics there are is told up to a power of two, and their order is that of their bytes', (t) => {
  const tagger = new Tagger(telling);
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
