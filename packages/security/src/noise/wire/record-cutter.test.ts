// Checks that a stream yields the same records no matter how it is cut, and that memory grows only
// with the bytes received.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { concat, equal, pattern } from '../testing/bytes.ts';
import { RecordCutter } from './record-cutter.ts';

const joint = new Uint8Array(65_537);

function record(length: number, seed: number): Uint8Array {
  return concat(Uint8Array.of(length >>> 8, length), pattern(length, seed));
}

function cut(cutter: RecordCutter, chunk: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  cutter.feed(chunk);
  for (let message = cutter.next(joint); message !== undefined; message = cutter.next(joint))
    found.push(message.slice());
  return found;
}

test('three records that are cut at any two places come out complete', (t) => {
  const lengths = [1, 20, 300];
  const records = lengths.map((length, i) => record(length, i + 1));
  const stream = concat(...records);
  for (let one = 0; one <= stream.length; one += 3) {
    for (let other = one; other <= stream.length; other += 7) {
      const cutter = new RecordCutter();
      const found = [
        stream.subarray(0, one),
        stream.subarray(one, other),
        stream.subarray(other),
      ].flatMap((chunk) => cut(cutter, chunk));
      if (
        found.length !== 3 ||
        !found.every((message, i) => equal(message, pattern(lengths[i]!, i + 1)))
      )
        t.fail(`cut at ${one} and ${other}`);
    }
  }
  t.pass();
});

test('records of any length in chunks of any length come out complete', (t) => {
  const random = seededRandom(11);
  for (let round = 0; round < 20; round++) {
    const lengths = Array.from({ length: 12 }, () => Math.floor(random() ** 4 * 65_536));
    const stream = concat(...lengths.map((length, i) => record(length, i + 1)));
    const cutter = new RecordCutter();
    const found: Uint8Array[] = [];
    for (let at = 0; at < stream.length; ) {
      const size = 1 + Math.floor(random() ** 3 * 70_000);
      found.push(...cut(cutter, stream.subarray(at, at + size)));
      at += size;
    }
    t.is(found.length, lengths.length);
    t.true(found.every((message, i) => equal(message, pattern(lengths[i]!, i + 1))));
  }
});

test('the chunk is not modified, and later changes to it do not affect kept bytes', (t) => {
  const cutter = new RecordCutter();
  const bytes = record(100, 1);
  const chunk = bytes.slice(0, 60);
  cut(cutter, chunk);
  cut(cutter, bytes.subarray(60, 80));
  t.deepEqual(chunk, bytes.slice(0, 60));
  t.true(equal(cut(cutter, bytes.subarray(80))[0]!, pattern(100)));
});

test('nothing of a chunk is used after its messages were read, or after what was unread was kept', (t) => {
  const freed: number[] = [];
  const cutter = new RecordCutter((part) => void freed.push(part.length));
  const chunk = concat(record(100, 1), record(50, 2), record(60, 3).subarray(0, 40));
  const reused = chunk.slice();
  cutter.feed(reused);
  t.true(equal(cutter.next(joint)!, pattern(100, 1)));
  cutter.keep();
  reused.fill(0);
  t.true(equal(cutter.next(joint)!, pattern(50, 2)));
  t.is(cutter.next(joint), undefined);
  reused.set(record(60, 3).subarray(40));
  t.true(equal(cut(cutter, reused.subarray(0, 22))[0]!, pattern(60, 3)));
  reused.fill(0);
  t.deepEqual(cut(cutter, record(9, 4)).length, 1);
  t.deepEqual(freed, [40], 'the memory of the record that was joined');
});

test('memory is taken for received bytes, and not for the announced length', (t) => {
  const freed: number[] = [];
  const cutter = new RecordCutter((part) => void freed.push(part.length));
  const bytes = record(60_000, 1);
  t.deepEqual(cut(cutter, bytes.subarray(0, 100)), []);
  t.deepEqual(cut(cutter, bytes.subarray(100, 1_000)), []);
  t.is(cut(cutter, bytes.subarray(1_000)).length, 1);
  t.deepEqual(freed, [2_000]);
});
