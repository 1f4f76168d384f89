// Tests of retries of streams: they are repeated until their first item or answer has arrived, and
// the source of an upload is read once.

import { type ClientCall, TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { FakeServer, fakeCall, reset, settled } from '../testing/fake-call.ts';
import { createRetries, type RetriesOptions } from './retries.ts';

const TAKEN = Symbol.for('trunkline.taken');
const IDEMPOTENT = { methods: { '*': { idempotent: true } } };
const draining = () =>
  new TransportError('unavailable', 'the node drains', {
    reason: 'draining',
    origin: 'remote',
    sent: false,
  });

function setUp(given: Partial<ClientCall>, options: RetriesOptions = {}) {
  const server = new FakeServer();
  const retries = createRetries({ clock: server.clock, random: () => 0.5, ...options });
  const call = fakeCall(given);
  const result = server.send(retries.interceptor, call);
  return { server, retries, call, result };
}

async function* items(...values: unknown[]) {
  for (const value of values) {
    if (value instanceof Error) throw value;
    yield value;
  }
}

async function readAll(stream: unknown): Promise<unknown[]> {
  const read: unknown[] = [];
  for await (const item of stream as AsyncIterable<unknown>) read.push(item);
  return read;
}

/** A source that counts what was read from it, and records that it was closed. */
function source(...values: unknown[]) {
  const seen = { read: 0, iterators: 0, closed: 0 };
  const upload: AsyncIterable<unknown> = {
    [Symbol.asyncIterator]() {
      seen.iterators++;
      const iterator = values[Symbol.iterator]();
      return {
        next: async () => {
          seen.read++;
          return iterator.next() as IteratorResult<unknown>;
        },
        return: async () => {
          seen.closed++;
          return { done: true, value: undefined };
        },
      };
    },
  };
  return { upload, seen };
}

/** The upload as an attempt reads it. */
function reader({ upload }: ClientCall) {
  return upload![Symbol.asyncIterator]() as AsyncIterator<unknown> & { [TAKEN](): void };
}

const readUpload = (call: ClientCall) => readAll({ [Symbol.asyncIterator]: () => reader(call) });

test('a download that is refused before its first item is repeated', async (t) => {
  const { server, retries, result } = setUp({ kind: 'download' });
  await server.last.answer(items(draining()));
  t.is(server.attempts.length, 1, 'nobody has read it yet');
  const read = readAll(await result);
  await settled();
  t.is(server.attempts.length, 2);
  await server.last.answer(items(draining()));
  await server.advance(12.5);
  t.is(server.attempts.length, 3);
  await server.last.answer(items(1, 2));
  t.deepEqual(await read, [1, 2]);
  t.is(retries.snapshot().retries, 2);
  t.is(server.clock.timers, 0);
});

test('a download without items is complete, and one that has begun is not repeated', async (t) => {
  for (const given of [[], [1]]) {
    const { server, result } = setUp({ kind: 'download' }, IDEMPOTENT);
    await server.last.answer(items(...given, ...(given.length > 0 ? [reset()] : [])));
    const read = readAll(await result);
    if (given.length > 0) await t.throwsAsync(read, { message: 'the connection was reset' });
    else t.deepEqual(await read, []);
    t.is(server.attempts.length, 1);
  }
});

test('an idempotent download whose connection is lost before its first item is repeated', async (t) => {
  const { server, result } = setUp({ kind: 'download' }, IDEMPOTENT);
  await server.last.answer(items(reset()));
  const read = readAll(await result);
  await settled();
  await server.advance(12.5);
  await server.last.answer(items('again'));
  t.deepEqual(await read, ['again']);

  const other = setUp({ kind: 'download' });
  await other.server.last.answer(items(reset()));
  await t.throwsAsync(readAll(await other.result), { message: 'the connection was reset' });
  t.is(other.server.attempts.length, 1);
});

test('results that are asked for together come in order', async (t) => {
  const { server, result } = setUp({ kind: 'download' });
  await server.last.answer(items(draining()));
  const iterator = (await result) as AsyncIterator<unknown>;
  const results = [iterator.next(), iterator.next(), iterator.next()];
  await settled();
  await server.last.answer(items(1, 2));
  t.deepEqual(
    (await Promise.all(results)).map(({ value }) => value),
    [1, 2, undefined],
  );
});

test('a reader that leaves ends the wait for another attempt', async (t) => {
  const { server, result } = setUp({ kind: 'download' });
  await server.last.answer(items(draining()));
  const iterator = (await result) as AsyncIterator<unknown>;
  const first = iterator.next().catch(({ code }) => code);
  await settled();
  await server.last.answer(items(draining()));
  t.is(server.clock.timers, 1);
  await iterator.return!();
  t.is(server.clock.timers, 0);
  t.is(await first, 'cancelled');
  t.is(server.attempts.length, 2);
});

test('an upload is repeated with the items that were read, while the callee has taken none', async (t) => {
  const { upload, seen } = source('one', 'two', 'three');
  const { server, call, result } = setUp({ kind: 'upload', upload });
  const first = reader(call);
  t.is((await first.next()).value, 'one');
  t.is((await first.next()).value, 'two');
  await first.return!();
  await server.last.fail(draining());
  t.is(server.attempts.length, 2);
  t.is(seen.closed, 0);
  t.deepEqual(await readUpload(call), ['one', 'two', 'three']);
  await server.last.answer('done');
  t.is(await result, 'done');
  t.deepEqual(seen, { read: 4, iterators: 1, closed: 0 });
});

test('an upload of which the callee has taken items is not repeated', async (t) => {
  const { upload, seen } = source('one', 'two');
  const { server, call, result } = setUp({ kind: 'upload', upload });
  const first = reader(call);
  await first.next();
  first[TAKEN]();
  await first.return!();
  t.is(seen.closed, 1);
  await server.last.fail(draining());
  await t.throwsAsync(result, { message: 'the node drains' });
  t.is(server.attempts.length, 1);
});

test('an item for which a refused attempt waited goes to the next attempt', async (t) => {
  let produce = (_: unknown) => {};
  const upload = (async function* () {
    yield await new Promise((resolve) => (produce = resolve));
  })();
  const { server, call, result } = setUp({ kind: 'upload', upload });
  const first = reader(call);
  const waiting = first.next();
  await settled();
  void first.return!();
  await server.last.fail(draining());
  const second = reader(call);
  const item = second.next();
  produce('late');
  t.is((await item).value, 'late');
  t.true((await waiting).done);
  t.true((await second.next()).done);
  await server.last.answer('done');
  t.is(await result, 'done');
});

test('a refused duplex call is repeated before anybody reads its items', async (t) => {
  const { upload, seen } = source('one', 'two');
  const { server, call, result } = setUp({ kind: 'duplex', upload });
  const first = reader(call);
  await first.next();
  await server.last.answer(items(draining()));
  const stream = await result;
  await first.return!();
  await settled();
  t.is(server.attempts.length, 2);
  t.deepEqual(await readUpload(call), ['one', 'two']);
  await server.last.answer(items('a', 'b'));
  t.deepEqual(await readAll(stream), ['a', 'b']);
  t.is(seen.iterators, 1);
});

test('the source of an upload is closed when the call ends before it', async (t) => {
  for (const kind of ['upload', 'duplex'] as const) {
    const { upload, seen } = source('one', 'two');
    const { server, call, result } = setUp({ kind, upload });
    const first = reader(call);
    await first.next();
    await server.last.answer(kind === 'upload' ? 'enough' : items('enough'));
    if (kind === 'duplex') t.deepEqual(await readAll(await result), ['enough']);
    else t.is(await result, 'enough');
    await first.return!();
    t.is(seen.closed, 1, kind);
  }
});

test('very many items that no callee has taken are not kept', async (t) => {
  const { upload } = source(...Array.from({ length: 1_500 }, (_, n) => n));
  const { server, call, result } = setUp({ kind: 'upload', upload });
  t.is((await readUpload(call)).length, 1_500);
  await server.last.fail(draining());
  await t.throwsAsync(result, { message: 'the node drains' });
  t.is(server.attempts.length, 1);
});
