// Tests of the reading end of a stream.

import test from 'ava';
import { TransportError } from '../errors.ts';
import { InStream, ItemReader } from '../session/streams.ts';
import { OutboxFixture } from '../session/testing/outbox-fixture.ts';
import { pluck } from '../testing/pluck.ts';

function fixture(decode: (bytes: Uint8Array) => number = (bytes) => bytes[0]!) {
  const { context } = new OutboxFixture();
  const stream = new InStream(context, { credit: () => {}, holds: () => {} }, 1);
  const log: string[] = [];
  const reader = new ItemReader<number>(stream, {
    decode,
    taken: () => void log.push('taken'),
    left: () => void log.push('left'),
    failure: (error) => new Error(`failure: ${(error as Error).message}`),
  });
  const push = (...numbers: number[]) => {
    for (const number of numbers) stream.push(new Uint8Array([number]), 65);
  };
  return { context, stream, log, reader, push };
}

const BROKEN = new TransportError('unavailable', 'gone');

test('items are read in order, and the end ends the loop', async (t) => {
  const { stream, reader, push, log } = fixture();
  push(1, 2, 3);
  stream.end(undefined);
  const read: number[] = [];
  for await (const item of reader) read.push(item);
  t.deepEqual(read, [1, 2, 3]);
  t.deepEqual(log, ['taken', 'taken', 'taken']);
  t.deepEqual(await reader.next(), { value: undefined, done: true });
});

test('concurrent next() calls are served in order, and all end at the end', async (t) => {
  const { reader, push, stream } = fixture();
  const all = [reader.next(), reader.next(), reader.next(), reader.next()];
  push(1);
  push(2);
  stream.end(undefined);
  t.deepEqual(pluck(await Promise.all(all), 'value'), [1, 2, undefined, undefined]);
});

test('an error follows the complete items, once; then the iterator is done', async (t) => {
  const { reader, push, stream } = fixture();
  push(1);
  stream.end(BROKEN);
  t.is((await reader.next()).value, 1);
  await t.throwsAsync(reader.next(), { message: 'failure: gone' });
  t.deepEqual(await reader.next(), { value: undefined, done: true });
});

test('a break takes effect at once, even if items are left', async (t) => {
  const { reader, stream, push, context } = fixture();
  push(1, 2);
  const reason = new TransportError('aborted', 'mine');
  stream.break(reason);
  stream.break(new TransportError('aborted', 'second'));
  t.is(await t.throwsAsync(reader.next()), reason);
  t.is((await reader.next()).done, true);
  t.is(context.usage.held, 0);
});

test('a break reaches a waiting reader', async (t) => {
  const { reader, stream } = fixture();
  const next = reader.next();
  const reason = new TransportError('aborted', 'mine');
  stream.break(reason);
  t.is(await t.throwsAsync(next), reason);
});

test('leaving the loop notifies the call, and drops present and later items', async (t) => {
  const { reader, push, context, log } = fixture();
  push(1, 2, 3);
  for await (const _ of reader) break;
  t.deepEqual(log, ['taken', 'left']);
  push(4);
  t.is(context.usage.held, 0);
  t.is((await reader.next()).done, true);
  await reader.return();
  t.deepEqual(log, ['taken', 'left']);
});

test('leaving after the end notifies nobody', async (t) => {
  const { reader, push, stream, log } = fixture();
  push(1, 2);
  stream.end(undefined);
  for await (const _ of reader) break;
  t.deepEqual(log, ['taken']);
});

test('return() ends waiting reads', async (t) => {
  const { reader } = fixture();
  const next = reader.next();
  await reader.return();
  t.is((await next).done, true);
});

test('an item that its codec refuses ends the stream with that error', async (t) => {
  const { reader, push, log, context } = fixture((bytes) => {
    if (bytes[0] === 2) throw new Error('no 2');
    return bytes[0]!;
  });
  push(1, 2, 3);
  t.is((await reader.next()).value, 1);
  await t.throwsAsync(reader.next(), { message: 'failure: no 2' });
  t.is((await reader.next()).done, true);
  t.deepEqual(log, ['taken', 'left']);
  t.is(context.usage.held, 0);
});
