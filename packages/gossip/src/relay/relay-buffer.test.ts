// Tests of reading a message while it arrives.

import test from 'ava';
import { RelayBuffer, RelayBufferReader } from './distribution.ts';

/** Reads all bytes that have arrived. */
function read(reader: RelayBufferReader): number[] {
  const bytes: number[] = [];
  for (let chunk = reader.read(0); chunk !== undefined; chunk = reader.read(0))
    bytes.push(...chunk);
  return bytes;
}

test('each reader gets everything in order, at its own pace, from one copy', (t) => {
  const buffer = new RelayBuffer(new Uint8Array(100_000));
  const [early, slow] = [new RelayBufferReader(buffer, 0), new RelayBufferReader(buffer, 0)];
  const first = read(early);
  t.is(slow.read(0), undefined);
  const sent = Array.from({ length: 100_000 }, (_, i) => (i * 7) % 256);
  for (let at = 0; at < sent.length; at += 9_999) {
    t.true(buffer.append(Uint8Array.from(sent.slice(at, at + 9_999))));
    first.push(...read(early));
  }
  t.true(buffer.isWhole);
  t.deepEqual(first, sent);
  const chunk = slow.read(0)!;
  t.is(chunk.buffer, buffer.bytes.buffer);
  t.deepEqual([...chunk, ...read(slow)], sent);
  t.true(slow.isThrough);
});

test('a reader that has read everything is starved until more arrives, and makes progress when it asks for more', (t) => {
  const buffer = new RelayBuffer(new Uint8Array(3));
  const reader = new RelayBufferReader(buffer, 0);
  buffer.append(Uint8Array.of(1));
  reader.read(5);
  t.deepEqual([reader.movedAt, reader.isStarved], [5, false]);
  t.is(reader.read(7), undefined);
  t.deepEqual([reader.movedAt, reader.isStarved], [7, true]);
  buffer.append(Uint8Array.of(2, 3));
  t.deepEqual(reader.read(9), Uint8Array.of(2, 3));
  t.deepEqual([reader.movedAt, reader.isStarved, reader.isThrough], [9, false, true]);
  t.is(reader.begunAt, 2, 'it was starved for two milliseconds');
});

test('excess bytes are refused, and a failure reaches the readers after they have read what is here', (t) => {
  const buffer = new RelayBuffer(new Uint8Array(3));
  const reader = new RelayBufferReader(buffer, 0);
  t.true(buffer.append(Uint8Array.of(1, 2)));
  t.false(buffer.append(Uint8Array.of(3, 4)));
  const error = new Error('gone');
  buffer.fail(error);
  t.false(buffer.append(Uint8Array.of(3)));
  t.deepEqual(reader.read(0), Uint8Array.of(1, 2));
  t.is(reader.read(0), undefined);
  t.deepEqual([reader.isStarved, reader.isThrough, buffer.error], [false, false, error]);
});
