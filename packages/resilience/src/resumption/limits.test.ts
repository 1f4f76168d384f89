// Tests of the bounds: the items of a stream, the streams of a server, and time.

import { TransportError } from '@trunkline/transport-core';
import { createManualClock } from '@trunkline/transport-core/testing';
import test, { type ExecutionContext } from 'ava';
import { resume, resumptionFailure } from '../index.resumption.ts';
import { ResumedStream } from './resumed-stream.ts';
import { advanceUntil, all, fixture, idle, next, until, upTo } from './testing/feed.ts';

const FAST = { initialBackoff: 1, maxBackoff: 5 };
const SERVER = 'inmem://server';

test('a handler that waits loses nothing, however long its client is away', async (t) => {
  const clock = createManualClock();
  const { client, cut } = await fixture(t, upTo, { items: 10_000, time: 60_000 }, clock);
  const options = { initialBackoff: 50_000, maxBackoff: 50_000 };
  const items = await advanceUntil(clock, resume(client, SERVER, 'count', 500, options));
  for (let i = 0; i < 10; i++) t.is(await advanceUntil(clock, next(items)), i);
  cut();
  const rest = await advanceUntil(clock, all(items));
  t.deepEqual(
    rest,
    Array.from({ length: 490 }, (_, i) => i + 10),
  );
});

/** Opens a stream whose ring has this size, reads its first item, and cuts its connection. */
async function cutOff(t: ExecutionContext, size: number) {
  let write!: (value: number) => Promise<void>;
  const { client, count, cut } = await fixture(
    t,
    (_, rpc) => {
      write = (value) => rpc.write(value);
      return new Promise(() => {});
    },
    { items: size, disconnected: 'continue' },
  );
  const items = await resume(client, SERVER, 'count', 1, FAST);
  await until(() => write !== undefined);
  await write(0);
  t.is(await next(items), 0);
  cut();
  await idle();
  return { items, count, write };
}

test('a client that needs an item that was dropped gets a gap, and the stream ends', async (t) => {
  const { items, count, write } = await cutOff(t, 5);
  for (let value = 1; value <= 20; value++) await write(value);
  const error = await t.throwsAsync<TransportError>(items.next(), {
    code: 'out_of_range',
    message: /item 1 is no longer kept: the server has the items from 16 to 20/,
  });
  t.is(resumptionFailure(error), 'gap');
  t.is(error.origin, 'remote');
  t.is(count.streams, 0);
  await t.throwsAsync(write(21), { code: 'out_of_range' });
});

test('a handler that goes on fills the ring, and the client gets what is kept', async (t) => {
  const { items, write } = await cutOff(t, 50);
  for (let value = 1; value <= 50; value++) await write(value);
  for (let value = 1; value <= 50; value++) t.is(await next(items), value);
});

test('writes that are not awaited drop the oldest items beyond the ring', async (t) => {
  const { client } = await fixture(
    t,
    (_, rpc) => {
      for (let value = 0; value < 100; value++) void rpc.write(value);
    },
    { items: 10 },
  );
  const error = await t.throwsAsync<TransportError>(
    resume(client, SERVER, 'count', 1, FAST).then(all),
  );
  t.is(resumptionFailure(error), 'gap');
});

test('bytes bound a ring, too', async (t) => {
  const { client, count } = await fixture(t, upTo, { bytes: 100, size: () => 40 });
  const items = await resume(client, SERVER, 'count', 50, FAST);
  t.is((await all(items)).length, 50);
  t.is(count.bytes, 80);
});

test('an item is refused if its size is not a number of bytes', async (t) => {
  for (const size of [Number.NaN, Number.POSITIVE_INFINITY, -1]) {
    const { client, count } = await fixture(t, upTo, { size: () => size });
    await t.throwsAsync(all(await resume(client, SERVER, 'count', 1, FAST)), {
      code: 'invalid_argument',
      message: new RegExp(`an item of 'count' was refused: its size .* got ${size}`),
    });
    t.is(count.bytes, 0);
  }
});

test('a stream without a connection ends after its time, and its handler is aborted', async (t) => {
  const clock = createManualClock();
  let aborted: unknown;
  const { client, server, count, cut } = await fixture(
    t,
    async function* (_, { signal }) {
      signal.addEventListener('abort', () => (aborted = signal.reason));
      yield 0;
      await new Promise(() => {});
    },
    { time: 1_000 },
    clock,
  );
  const options = { initialBackoff: 5_000, maxBackoff: 5_000 };
  const items = await advanceUntil(clock, resume(client, SERVER, 'count', 1, options));
  t.is(await advanceUntil(clock, next(items)), 0);
  const failed = t.throwsAsync<TransportError>(items.next(), { code: 'not_found' });
  await idle();
  clock.advance(10_000);
  await idle();
  t.is(count.streams, 1, 'a quiet stream with a connection stays');
  cut();
  await until(() => server.remotes().length === 0);
  await idle();
  clock.advance(999);
  await idle();
  t.is(count.streams, 1);
  clock.advance(1);
  t.is(count.streams, 0);
  t.is(resumptionFailure(aborted), 'unknown');
  t.is(resumptionFailure(await advanceUntil(clock, failed)), 'unknown');
});

test('items that were sent long ago are dropped, but none that waits', async (t) => {
  const clock = createManualClock();
  const { client, count } = await fixture(
    t,
    async function* () {
      yield* upTo(10);
      await new Promise(() => {});
    },
    { time: 1_000, size: () => 1 },
    clock,
  );
  const items = await advanceUntil(clock, resume(client, SERVER, 'count', 1));
  for (let i = 0; i < 10; i++) await advanceUntil(clock, next(items));
  await until(() => count.bytes === 10);
  clock.advance(1_200);
  t.is(count.bytes, 0);
  t.is(count.streams, 1);
});

test('a full table refuses new streams, and replaces those without a connection', async (t) => {
  const { client, server, count, cut } = await fixture(
    t,
    async function* () {
      yield 0;
      await new Promise(() => {});
    },
    { streams: 2 },
  );
  const open = async () => {
    const items = await resume(client, SERVER, 'count', 1, FAST);
    t.is(await next(items), 0);
    return items;
  };
  const first = await open();
  const second = await open();
  const error = await t.throwsAsync<TransportError>(open(), { code: 'resource_exhausted' });
  t.is(resumptionFailure(error), 'full');
  cut();
  await until(() => server.remotes().length === 0);
  await idle();
  await open();
  t.is(count.streams, 2);
  const lost = await t.throwsAsync<TransportError>(first.next());
  t.is(resumptionFailure(lost), 'unknown');
  void second.return?.();
});

test('a caller can take only its share of the table', async (t) => {
  const { client, count } = await fixture(t, upTo, { streams: 10, streamsPerCaller: 3 });
  for (let i = 0; i < 8; i++) {
    t.is((await all(await resume(client, SERVER, 'count', 2, FAST))).length, 2);
    t.true(count.streams <= 3);
  }
  const open = await Promise.all(
    [1, 2, 3].map(() => resume(client, SERVER, 'count', 1_000_000, FAST)),
  );
  for (const items of open) await next(items);
  const error = await t.throwsAsync<TransportError>(
    resume(client, SERVER, 'count', 1, FAST).then(all),
  );
  t.is(resumptionFailure(error), 'full');
  t.regex(error.message, /streamsPerCaller 3/);
  for (const items of open) void items.return?.();
});

test('attempts are bounded, and their pauses grow up to a maximum', async (t) => {
  const clock = createManualClock();
  const { client, server } = await fixture(t, upTo, {}, clock);
  await server.close();
  const begin = clock.now();
  const options = { attempts: 6, initialBackoff: 100, maxBackoff: 400 };
  const error = await t.throwsAsync<TransportError>(
    advanceUntil(clock, resume(client, SERVER, 'count', 1, options)),
    { code: 'unavailable', message: /6 attempts in a row failed after 0 items/ },
  );
  t.false(error.sent);
  t.is(error.reason, 'connection_refused');
  const pause = clock.now() - begin;
  t.true(pause >= 750 && pause <= 1_700, `${pause} ms`);
});

test('a timeout ends the stream, also while it waits to try again', async (t) => {
  const clock = createManualClock();
  const { client, server } = await fixture(t, upTo, {}, clock);
  const options = { timeout: 3_000, initialBackoff: 60_000, maxBackoff: 60_000 };
  const items = await advanceUntil(clock, resume(client, SERVER, 'count', 1e9, options));
  t.is(await next(items), 0);
  await server.close();
  await t.throwsAsync(advanceUntil(clock, all(items)), {
    code: 'deadline_exceeded',
    message: /did not end within 3000 ms/,
  });
});

test('a signal cancels the stream, also while it waits to try again', async (t) => {
  const { client, server, count } = await fixture(t, upTo);
  const controller = new AbortController();
  const options = { signal: controller.signal, initialBackoff: 60_000, maxBackoff: 60_000 };
  const items = await resume(client, SERVER, 'count', 1e9, options);
  t.is(await next(items), 0);
  await server.close();
  const failed = t.throwsAsync<TransportError>(all(items), { code: 'cancelled' });
  await idle();
  controller.abort('enough');
  t.is((await failed).cause, 'enough');
  t.is(count.streams, 0);
  await t.throwsAsync(resume(client, SERVER, 'count', 1, options), { code: 'cancelled' });
});

test('a server that closes leaves no stream and no timer', async (t) => {
  const clock = createManualClock();
  const { client, server, count, cut } = await fixture(t, upTo, {}, clock);
  const attached = await advanceUntil(clock, resume(client, SERVER, 'count', 1e9));
  t.is(await next(attached), 0);
  const left = await advanceUntil(clock, resume(client, SERVER, 'count', 3));
  await all(left);
  cut();
  await idle();
  t.is(count.streams, 2);
  await Promise.all([client.close(), server.close()]);
  await until(() => count.streams === 0 && clock.timers === 0);
  t.pass();
});

test('close ends the streams of a server, and new ones are served as before', async (t) => {
  const { client, count } = await fixture(t, upTo);
  const items = await resume(client, SERVER, 'count', 1e9, FAST);
  t.is(await next(items), 0);
  count.close();
  t.is(count.streams, 0);
  await t.throwsAsync(all(items), { code: 'unavailable', message: /ends its streams/ });
  t.is((await all(await resume(client, SERVER, 'count', 3, FAST))).length, 3);
});

test('a refusal that follows the request opens the stream again', async (t) => {
  const clock = createManualClock();
  const call = { clock, random: () => 0.5, name: 'feed/count', target: SERVER };
  const timeouts: unknown[] = [];
  const stream = new ResumedStream<number>(
    call,
    async ({ timeout }) => {
      timeouts.push(timeout);
      if (timeouts.length > 1) return upTo(2);
      const refusal = new TransportError('unavailable', 'the server drains', { sent: false });
      return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(refusal) }) };
    },
    { ...FAST, timeout: Number.POSITIVE_INFINITY, attempts: 3 },
  );
  await stream.open();
  t.deepEqual(await advanceUntil(clock, all(stream)), [0, 1]);
  t.deepEqual(timeouts, [undefined, undefined], 'no attempt asks whether the stream is kept');
});
