// Tests of the conversion of names between hex and bytes.

import { randomBytes } from '@trunkline/transport-core/backend';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { NAME_BYTES, readName, sameName, writeName } from './message-id.ts';

const random = seededRandom(1);

test('names are decoded as they were encoded, however many share a place, and wherever they are', (t) => {
  // All names end in the same byte.
  const names = Array.from({ length: 50 }, () =>
    randomBytes(random, NAME_BYTES).fill(7, NAME_BYTES - 1),
  );
  for (let round = 0; round < 3; round++) {
    for (const name of names) {
      const text = readName(Uint8Array.of(1, 2, 3, ...name), 3);
      t.is(text, [...name].map((byte) => byte.toString(16).padStart(2, '0')).join(''));
      const bytes = new Uint8Array(NAME_BYTES + 4);
      t.true(writeName(text, bytes, 2));
      t.deepEqual(bytes, Uint8Array.of(0, 0, ...name, 0, 0));
    }
  }
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
  for (const wrong of [
    '',
    'ab',
    'AB'.repeat(32),
    'zz'.repeat(32),
    'ab'.repeat(33),
    `${'ab'.repeat(31)}a`,
  ])
    t.false(writeName(wrong, bytes, 0), wrong);
  t.deepEqual(bytes, new Uint8Array(NAME_BYTES));
});

test('the name of zeros, which no message has shown yet, is read and written', (t) => {
  const zeros = new Uint8Array(NAME_BYTES);
  t.is(readName(zeros, 0), '00'.repeat(NAME_BYTES));
  const bytes = new Uint8Array(NAME_BYTES).fill(1);
  t.true(writeName('00'.repeat(NAME_BYTES), bytes, 0));
  t.deepEqual(bytes, zeros);
  const one = zeros.slice().fill(1, NAME_BYTES - 1);
  t.is(readName(one, 0), `${'00'.repeat(NAME_BYTES - 1)}01`);
});
