// Tests of the list of topics that a peer pulls.

import { bytesToHex } from '@noble/hashes/utils.js';
import { randomBytes } from '@trunkline/transport-core/backend';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { topicKey } from '../protocol.ts';
import { askForList, decodeList, encodeList, recognizerOf, sealList } from './tags.ts';

const random = seededRandom(3);
const id = (digit: string) => digit.repeat(64);
const [ann, bob, eve] = [id('a'), id('b'), id('e')];
const keys = ['news', 'sport', 'weather'].map((name) => topicKey(name).bytes);
const between = { teller: bob, hearer: ann };

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
    encodeList({ teller: bob, hearer: eve }, question, 9, keys, random)!,
    encodeList({ teller: eve, hearer: ann }, question, 9, keys, random)!,
  ];
  const tags = answers.flatMap((bytes) =>
    Array.from({ length: 8 }, (_, i) => bytesToHex(bytes.subarray(24 + 16 * i, 40 + 16 * i))),
  );
  t.is(new Set(tags).size, 8 * answers.length);
  for (const bytes of answers) {
    const text = bytesToHex(bytes);
    for (const key of keys) t.false(text.includes(bytesToHex(key).slice(0, 16)));
  }
});

test('an answer is not valid for another sender, another receiver or a later question', (t) => {
  const { question, answer } = tell();
  const [key] = keys;
  t.true(listOf(question, answer)(key!));
  t.false(
    listOf(question, answer, { teller: eve, hearer: ann })(key!),
    "Eve repeats Bob's answer",
  );
  t.false(
    listOf(question, answer, { teller: bob, hearer: eve })(key!),
    'Eve overheard it, and knows the topic',
  );
  t.is(decodeList(askForList(random), answer), undefined, 'it is sent again');
  const relayed = encodeList({ teller: bob, hearer: eve }, question, 9, keys, random)!;
  t.false(
    listOf(question, relayed, { teller: eve, hearer: ann })(key!),
    "Eve asked Bob with Ann's question",
  );
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
