// Tests of message ids: their keys, their encoding, and their validity; and of the conversion of
// names between hex and bytes.

import { bytesToHex } from '@noble/hashes/utils.js';
import { randomBytes } from '@trunkline/transport-core/backend';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import {
  LARGEST_NUMBER,
  MESSAGE_ID_BYTES,
  type MessageId,
  messageKey,
  NAME_BYTES,
  readMessageId,
  readName,
  sameName,
  writeMessageId,
  writeName,
} from './message-id.ts';

const origin = 'ab'.repeat(32);
const random = seededRandom(1);

function encode(id: MessageId): Uint8Array {
  const bytes = new Uint8Array(MESSAGE_ID_BYTES);
  writeMessageId(id, bytes, 0);
  return bytes;
}

const ids: MessageId[] = [
  { origin, epoch: 0, sequence: 0 },
  { origin, epoch: 1_763_000_000_000, sequence: 0xffff_ffff + 7 },
  { origin: `${'0'.repeat(63)}1`, epoch: LARGEST_NUMBER, sequence: LARGEST_NUMBER },
];

test('names are decoded as they were encoded, also zeros, however many share a place, and wherever they are', (t) => {
  // The cache begins with zeros, so they are read first.
  const zeros = new Uint8Array(NAME_BYTES);
  const one = zeros.slice().fill(1, NAME_BYTES - 1);
  // All of these names end in the same byte.
  const names = Array.from({ length: 50 }, () =>
    randomBytes(random, NAME_BYTES).fill(7, NAME_BYTES - 1),
  );
  for (let round = 0; round < 3; round++) {
    for (const name of [zeros, one, ...names]) {
      const text = readName(Uint8Array.of(1, 2, 3, ...name), 3);
      t.is(text, bytesToHex(name));
      const bytes = new Uint8Array(NAME_BYTES + 4).fill(1);
      t.true(writeName(text, bytes, 2));
      t.deepEqual(bytes, Uint8Array.of(1, 1, ...name, 1, 1));
    }
  }
});

test('an id is decoded from its 44 bytes as it was encoded', (t) => {
  for (const id of ids) {
    const bytes = new Uint8Array(3 + MESSAGE_ID_BYTES + 3);
    writeMessageId(id, bytes, 3);
    t.deepEqual([bytes[2], bytes[3 + MESSAGE_ID_BYTES]], [0, 0]);
    t.deepEqual(readMessageId(bytes, 3), id);
  }
});

test('any 44 bytes are an id', (t) => {
  for (let i = 0; i < 200; i++) {
    const bytes = randomBytes(random, MESSAGE_ID_BYTES);
    t.deepEqual(encode(readMessageId(bytes, 0)), bytes);
  }
});

test('encoded ids of one origin sort by epoch, then by sequence', (t) => {
  const list = [
    { origin, epoch: 1, sequence: 300 },
    { origin, epoch: 256, sequence: 1 },
    { origin, epoch: 256, sequence: 2 },
    { origin, epoch: 65_536, sequence: 0 },
  ];
  const texts = list.map((id) => bytesToHex(encode(id)));
  t.deepEqual(texts.toSorted(), texts);
});

test('different ids have different keys', (t) => {
  const keys = new Set<string>();
  for (const name of ['a', 'b', '1', '1.1'])
    for (const epoch of [1, 11])
      for (const sequence of [1, 11]) keys.add(messageKey({ origin: name, epoch, sequence }));
  t.is(keys.size, 16);
});

test('an id whose origin is not a node id is not encoded', (t) => {
  t.throws(() => encode({ origin: 'n1', epoch: 1, sequence: 1 }), {
    instanceOf: TypeError,
    message: /origin must be .*, got "n1"/,
  });
});

test('the source bytes of a name may change after it was read', (t) => {
  const bytes = randomBytes(random, NAME_BYTES);
  const text = readName(bytes, 0);
  bytes[0] = bytes[0]! ^ 1;
  t.not(readName(bytes, 0), text);
  bytes[0] = bytes[0]! ^ 1;
  t.is(readName(bytes, 0), text);
});

test('the same text gives the same bytes, whatever was read in between, and other text is unchanged', (t) => {
  const names = Array.from({ length: 20 }, () =>
    readName(randomBytes(random, NAME_BYTES).fill(9, NAME_BYTES - 1), 0),
  );
  for (const name of [...names, ...names, '', 'abc', 'ab'.repeat(40)]) t.is(sameName(name), name);
});

test('an invalid name is not encoded', (t) => {
  const bytes = new Uint8Array(NAME_BYTES);
  const long = ['AB'.repeat(32), 'zz'.repeat(32), 'ab'.repeat(33), `${'ab'.repeat(31)}a`];
  for (const wrong of ['', 'ab', ...long]) t.false(writeName(wrong, bytes, 0), wrong);
  t.deepEqual(bytes, new Uint8Array(NAME_BYTES));
});
