// Tests of the tags that stand for topics, in lists of topics and in questions for nodes.

import { bytesToHex } from '@noble/hashes/utils.js';
import { randomBytes } from '@trunkline/transport-core/backend';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { topicKey } from '../protocol.ts';
import {
  askForList,
  decodeList,
  encodeList,
  encodeQuestion,
  hasTag,
  makeTags,
  readQuestion,
  recognizerOf,
  sealList,
  type Telling,
  taggerOf,
} from './tags.ts';

const random = seededRandom(7);
const id = (digit: string) => digit.repeat(64);
const telling: Telling = {
  use: 'list',
  teller: id('a'),
  hearer: id('b'),
  nonce: new Uint8Array(32).fill(1),
};
const key = new Uint8Array(32).fill(5);
/** Returns the tags in these bytes as text. */
const split = (tags: Uint8Array) =>
  Array.from({ length: tags.length / 16 }, (_, i) =>
    bytesToHex(tags.subarray(16 * i, 16 * (i + 1))),
  );

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
  t.is(tags[0], '7eefac537296bcaf8eb7b243c7dd4b7b', 'it follows the documented formula');
});

test('tags are found among others, sorted by their bytes, and no others are found; their number is rounded up to a power of two', (t) => {
  const tagger = taggerOf(telling);
  const sizes = [0, 1, 7, 8, 9, 16, 17, 1_000, 1_024].map((count) => {
    const keys = Array.from({ length: count }, () => randomBytes(random, 32));
    const tags = makeTags(tagger, keys, random, 8);
    for (const known of keys) t.true(hasTag(tags, tagger(known)));
    for (let i = 0; i < 50; i++) t.false(hasTag(tags, randomBytes(random, 16)));
    const all = split(tags);
    t.deepEqual(all, [...all].sort());
    t.is(new Set(all).size, all.length);
    return all.length;
  });
  t.deepEqual(sizes, [0, 8, 8, 8, 16, 16, 32, 1_024, 1_024]);
});

const [ann, bob, eve] = [id('a'), id('b'), id('e')];
const keys = ['news', 'sport', 'weather'].map((name) => topicKey(name).bytes);
const between = { teller: bob, hearer: ann };
const asking = { teller: ann, hearer: bob };
const fromEve = { ...between, teller: eve };
const toEve = { ...between, hearer: eve };

/** Encodes a list that Bob sends to Ann. */
function tell(question = askForList(random), topics = keys, seq = 9) {
  return { question, answer: encodeList(between, question, seq, topics, random)! };
}

function listOf(question: Uint8Array, answer: Uint8Array, who = between) {
  return recognizerOf(who, decodeList(question, answer)!.kept!);
}

test('a node that knows a topic recognizes it in a list, now and later; other topics are not in the list', (t) => {
  const { question, answer } = tell();
  t.is(decodeList(question, answer)!.seq, 9);
  const list = listOf(question, answer);
  for (const key of keys) t.true(list(key));
  for (const name of ['new', 'News', 'other']) t.false(list(topicKey(name).bytes));
  t.is(decodeList(question, tell(question, []).answer)?.kept, undefined);
});

test('lists of the same topics have no tags in common, for the same question again, another receiver or another sender', (t) => {
  const { question, answer } = tell();
  const answers = [
    answer,
    tell(question).answer,
    tell().answer,
    encodeList(toEve, question, 9, keys, random)!,
    encodeList(fromEve, question, 9, keys, random)!,
  ];
  t.is(new Set(answers.flatMap((bytes) => split(bytes.subarray(24)))).size, 8 * answers.length);
  for (const bytes of answers) {
    const text = bytesToHex(bytes);
    for (const key of keys) t.false(text.includes(bytesToHex(key).slice(0, 16)));
  }
});

test('an answer is not valid for another sender, another receiver or a later question', (t) => {
  const { question, answer } = tell();
  const [key] = keys;
  t.true(listOf(question, answer)(key!));
  t.false(listOf(question, answer, fromEve)(key!), "Eve repeats Bob's answer");
  t.false(listOf(question, answer, toEve)(key!), 'Eve overheard it, and knows the topic');
  t.is(decodeList(askForList(random), answer), undefined, 'it is sent again');
  const relayed = encodeList(toEve, question, 9, keys, random)!;
  t.false(listOf(question, relayed, fromEve)(key!), "Eve asked Bob with Ann's question");
});

test('of a list that is too long the first 1,024 tags are kept, without the message around them', (t) => {
  const question = askForList(random);
  const answer = sealList(question, new Uint8Array(24 + 16 * 50_000));
  const { kept } = decodeList(question, answer)!;
  t.is(kept!.length, 32 + 16 * 1_024);
  t.is(kept!.buffer.byteLength, kept!.length);
  t.false(recognizerOf(between, kept!)(keys[0]!));
});

test('an invalid question gets no answer, an invalid answer is not read, and nothing throws', (t) => {
  for (const length of [0, 1, 15, 17, 32])
    t.is(encodeList(between, new Uint8Array(length), 1, keys, random), undefined);
  for (let length = 0; length < 200; length++) {
    const answer = randomBytes(random, length);
    const list = decodeList(new Uint8Array(16), answer);
    t.is(list, undefined, String(length));
    if (length < 24 || (length - 24) % 16 !== 0) continue;
    const sealed = decodeList(new Uint8Array(16), sealList(new Uint8Array(16), answer))!;
    if (sealed.kept !== undefined) t.false(recognizerOf(between, sealed.kept)(keys[0]!));
  }
});

test('an answer with one wrong bit, or to a question with one, is invalid', (t) => {
  const { question, answer } = tell();
  for (const bytes of [question, answer]) {
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      t.is(decodeList(question, answer), undefined, `bit ${bit} of ${bytes.length} bytes`);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
  }
  t.not(decodeList(question, answer), undefined);
});

test('a question covers its first sixteen topics, its asker and its receiver', (t) => {
  const all = Array.from({ length: 20 }, (_, i) => new Uint8Array(32).fill(i + 1));
  const bytes = encodeQuestion(asking, all, random);
  t.is(bytes.length, 16 + 16 * 16);
  const isAbout = readQuestion(asking, bytes)!;
  for (const [i, key] of all.entries()) t.is(isAbout(key), i < 16);
  const asEve = readQuestion({ ...asking, teller: eve }, bytes)!;
  t.false(asEve(all[0]!), 'Eve overheard it, and asks it herself');
  t.false(readQuestion({ ...asking, hearer: eve }, bytes)!(all[0]!), 'Eve reads it');
  const again = encodeQuestion(asking, all, random);
  t.notDeepEqual(again.subarray(16), bytes.subarray(16), 'asked again it differs');
});

test('an invalid question is ignored; nothing throws', (t) => {
  for (let length = 0; length < 400; length++) {
    const question = readQuestion(asking, randomBytes(random, length));
    t.is(question === undefined, length < 16 || length % 16 !== 0 || length > 272, String(length));
    t.not(question?.(keys[0]!), true);
  }
});
