// Tests of reading a message while it arrives.

import test from 'ava';
import { RelayBuffer } from './relay-buffer.ts';

async function rest(reader: AsyncIterable<Uint8Array>): Promise<number[]> {
  const bytes: number[] = [];
  for await (const chunk of reader) bytes.push(...chunk);
  return bytes;
}

test('each reader gets everything in order, at its own pace, from one copy', async (t) => {
  const buffer = new RelayBuffer(new Uint8Array(100_000));
  const [early, slow] = [buffer.read(() => 0), buffer.read(() => 0)];
  const first = rest(early);
  const begun = slow.next();
  const sent = Array.from({ length: 100_000 }, (_, i) => (i * 7) % 256);
  for (let at = 0; at < sent.length; at += 9_999)
    t.true(buffer.append(Uint8Array.from(sent.slice(at, at + 9_999))));
  t.true(buffer.isWhole);
  t.deepEqual(await first, sent);
  const chunk = (await begun).value!;
  t.is(chunk.buffer, buffer.bytes.buffer);
  t.deepEqual([...chunk, ...(await rest(slow))], sent);
  t.true(slow.isThrough);
});

test('a reader that has read everything is starved until more arrives, and makes progress when it asks for more', async (t) => {
  let now = 0;
  const buffer = new RelayBuffer(new Uint8Array(3));
  const reader = buffer.read(() => now);
  buffer.append(Uint8Array.of(1));
  now = 5;
  await reader.next();
  t.deepEqual([reader.movedAt, reader.isStarved], [5, false]);
  now = 7;
  const next = reader.next();
  t.deepEqual([reader.movedAt, reader.isStarved], [7, true]);
  now = 9;
  buffer.append(Uint8Array.of(2, 3));
  t.deepEqual((await next).value, Uint8Array.of(2, 3));
  t.deepEqual([reader.movedAt, reader.isStarved, reader.isThrough], [9, false, true]);
});

test('excess bytes are refused, and a failure reaches the readers after they have read what is here', async (t) => {
  const buffer = new RelayBuffer(new Uint8Array(3));
  const reader = buffer.read(() => 0);
  t.true(buffer.append(Uint8Array.of(1, 2)));
  t.false(buffer.append(Uint8Array.of(3, 4)));
  const error = new Error('gone');
  buffer.fail(error);
  t.false(buffer.append(Uint8Array.of(3)));
  t.deepEqual((await reader.next()).value, Uint8Array.of(1, 2));
  t.is(await t.throwsAsync(reader.next()), error);
});
