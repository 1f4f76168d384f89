// Tests of all kinds of calls between two sessions, as callers and handlers see them: promises,
// iterables, signals and deadlines.

import { getEventListeners } from 'node:events';
import test from 'ava';
import { TransportError } from '../errors.ts';
import type { Call } from './call.ts';
import type { StreamingRpc } from './rpc.ts';
import type { AnyHandler } from './serving.ts';
import { type Bytes, CallFixture } from './testing/call-fixture.ts';

const error = async (call: Call<unknown>) =>
  (await call.promise.then(
    () => undefined,
    (failure: unknown) => failure,
  )) as TransportError;

const items = (call: Call<unknown>) => call.promise as Promise<AsyncIterableIterator<Uint8Array>>;

async function* upload(...numbers: number[]): AsyncGenerator<Uint8Array> {
  for (const number of numbers) yield new Uint8Array([number]);
}

const one = (number: number): Bytes => new Uint8Array([number]);

test('a unary call resolves to its response', async (t) => {
  const fixture = new CallFixture();
  fixture.serve(fixture.pair.acceptor, { ask: (request) => one((request as Uint8Array)[0]! + 1) });
  const call = fixture.call(fixture.pair.dialer, 'ask', one(4));
  await fixture.rest();
  t.deepEqual(await call.promise, one(5));
  t.deepEqual(fixture.settled, ['fine']);
});

test('an error thrown by a handler becomes the caller’s error: remote, sent, with its target', async (t) => {
  const fixture = new CallFixture();
  fixture.serve(fixture.pair.acceptor, {
    ask: () => {
      throw new TransportError('not_found', 'no such', { metadata: { leader: 'b' } });
    },
  });
  const call = fixture.call(fixture.pair.dialer, 'ask', one(4));
  await fixture.rest();
  const { code, message, origin, sent, target, metadata, cause } = await error(call);
  t.deepEqual(
    [code, message, origin, sent, target, { ...metadata }, cause],
    ['not_found', 'no such', 'remote', true, 'there', { leader: 'b' }, undefined],
  );
});

test('a call whose signal aborts is canceled with its reason as the cause, and leaves no listener', async (t) => {
  const fixture = new CallFixture();
  let seen: AbortSignal | undefined;
  fixture.serve(fixture.pair.acceptor, {
    ask: (_request, rpc) => {
      seen = rpc.signal;
      return new Promise(() => {});
    },
  });
  const controller = new AbortController();
  const call = fixture.call(fixture.pair.dialer, 'ask', one(1), { signal: controller.signal });
  await fixture.rest();
  controller.abort('enough');
  const { code, cause, sent } = await error(call);
  t.deepEqual([code, cause, sent], ['cancelled', 'enough', true]);
  await fixture.rest();
  t.true(seen!.aborted);
  t.is(getEventListeners(controller.signal, 'abort').length, 0);
});

test('an error of a deadline shows whole milliseconds', async (t) => {
  const fixture = new CallFixture();
  fixture.serve(fixture.pair.acceptor, { ask: () => new Promise(() => {}) });
  const call = fixture.call(fixture.pair.dialer, 'ask', one(1), { timeout: 100 / 3 });
  await fixture.rest();
  fixture.pair.pass(50);
  t.regex((await error(call)).message, /^calls\/ask to there: 33 ms passed;/);
});

test('an error of a deadline says how far the call got', async (t) => {
  const fixture = new CallFixture();
  fixture.serve(fixture.pair.acceptor, { ask: () => new Promise(() => {}) });
  const call = fixture.call(fixture.pair.dialer, 'ask', one(1), { timeout: 50 });
  await fixture.rest();
  fixture.pair.pass(50);
  const { code, message } = await error(call);
  t.is(code, 'deadline_exceeded');
  t.regex(message, /calls\/ask to there: 50 ms passed; no response arrived/);
});

test('an upload is read to its end and answered', async (t) => {
  const fixture = new CallFixture();
  fixture.serve(fixture.pair.acceptor, {
    give: async (_request, rpc) => {
      let sum = 0;
      for await (const item of rpc.upload!) sum += (item as Uint8Array)[0]!;
      return one(sum);
    },
  });
  const call = fixture.call(fixture.pair.dialer, 'give', one(0), { upload: upload(1, 2, 3) });
  await fixture.rest();
  t.deepEqual(await call.promise, one(6));
});

test('an upload is read from its source only as fast as the handler reads it', async (t) => {
  const fixture = new CallFixture();
  let pulled = 0;
  const release: (() => void)[] = [];
  fixture.serve(fixture.pair.acceptor, {
    give: async (_request, rpc) => {
      await new Promise<void>((resolve) => release.push(resolve));
      for await (const _ of rpc.upload!);
      return one(1);
    },
  });
  async function* endless() {
    for (; pulled < 1_000; pulled++) yield new Uint8Array(1_000);
  }
  const call = fixture.call(fixture.pair.dialer, 'give', one(0), { upload: endless() });
  await fixture.rest();
  t.true(pulled < 20, String(pulled));
  release[0]!();
  for (let i = 0; i < 300; i++) await fixture.rest();
  t.deepEqual(await call.promise, one(1));
});

test('an upload that throws ends the call with aborted and its cause, at both ends', async (t) => {
  const fixture = new CallFixture();
  let failure: unknown;
  fixture.serve(fixture.pair.acceptor, {
    give: async (_request, rpc) => {
      try {
        for await (const _ of rpc.upload!);
      } catch (thrown) {
        failure = thrown;
      }
    },
  });
  const cause = new Error('disk');
  async function* broken() {
    yield one(1);
    throw cause;
  }
  const call = fixture.call(fixture.pair.dialer, 'give', one(0), { upload: broken() });
  await fixture.rest();
  const thrown = await error(call);
  t.deepEqual([thrown.code, thrown.cause], ['aborted', cause]);
  t.is((failure as TransportError).code, 'cancelled');
});

test('an answer before the end of the upload returns its iterator', async (t) => {
  const fixture = new CallFixture();
  fixture.serve(fixture.pair.acceptor, { give: () => one(9) });
  let returned = 0;
  async function* endless() {
    try {
      for (;;) yield new Uint8Array(100);
    } finally {
      returned++;
    }
  }
  const call = fixture.call(fixture.pair.dialer, 'give', one(0), { upload: endless() });
  for (let i = 0; i < 5; i++) await fixture.rest();
  t.deepEqual(await call.promise, one(9));
  t.is(returned, 1);
});

test('a download is read in order, to its end', async (t) => {
  const fixture = new CallFixture();
  fixture.serve(fixture.pair.acceptor, {
    get: async function* () {
      for (let i = 1; i <= 5; i++) yield one(i);
    },
  });
  const call = fixture.call(fixture.pair.dialer, 'get', one(0));
  await fixture.rest();
  const read: number[] = [];
  for await (const item of await items(call)) read.push(item[0]!);
  t.deepEqual(read, [1, 2, 3, 4, 5]);
  t.deepEqual(fixture.settled, ['fine']);
});

test('a failed download yields the complete items, then its error', async (t) => {
  const fixture = new CallFixture();
  fixture.serve(fixture.pair.acceptor, {
    get: async function* () {
      yield one(1);
      yield one(2);
      throw new TransportError('data_loss', 'torn');
    },
  });
  const call = fixture.call(fixture.pair.dialer, 'get', one(0));
  await fixture.rest();
  const read: number[] = [];
  const thrown = (await t.throwsAsync(async () => {
    for await (const item of await items(call)) read.push(item[0]!);
  })) as TransportError;
  t.deepEqual(read, [1, 2]);
  t.deepEqual(
    [thrown.code, thrown.origin, thrown.target, thrown.sent],
    ['data_loss', 'remote', 'there', true],
  );
});

test('leaving the loop of a download cancels it at the callee', async (t) => {
  const fixture = new CallFixture();
  let returned = 0;
  fixture.serve(fixture.pair.acceptor, {
    get: async function* () {
      try {
        for (;;) yield one(1);
      } finally {
        returned++;
      }
    },
  });
  const call = fixture.call(fixture.pair.dialer, 'get', one(0));
  await fixture.rest();
  for await (const _ of await items(call)) break;
  await fixture.rest();
  t.is(returned, 1);
  t.is(fixture.pair.dialer.session.parts.caller.slots.size, 0);
  t.is(fixture.pair.dialer.memory.used, 0);
});

test('a refusal of a download rejects the first next()', async (t) => {
  const fixture = new CallFixture();
  fixture.serve(fixture.pair.acceptor, { ask: () => one(1) });
  const call = fixture.call(fixture.pair.dialer, 'get', one(0));
  await fixture.rest();
  const reader = await items(call);
  const thrown = (await t.throwsAsync(reader.next())) as TransportError;
  t.deepEqual([thrown.code, thrown.sent], ['unimplemented', false]);
  t.true((await reader.next()).done);
});

test('the timeout of a method limits each wait of a stream, that of a call the whole, and a default neither', async (t) => {
  for (const [name, own, expected] of [
    ['steady', false, ['item', 'item', 'item', 'deadline_exceeded']],
    ['steady', true, ['item', 'deadline_exceeded', 'done', 'done']],
    ['get', true, ['item', 'deadline_exceeded', 'done', 'done']],
    ['get', false, ['item', 'item', 'item', 'item']],
  ] as const) {
    const fixture = new CallFixture();
    const writers: StreamingRpc[] = [];
    fixture.serve(fixture.pair.acceptor, {
      [name]: (_request: unknown, rpc: unknown) => {
        writers.push(rpc as StreamingRpc);
        return new Promise(() => {});
      },
    });
    const call = fixture.call(fixture.pair.dialer, name, one(0), own ? { timeout: 10_000 } : {});
    await fixture.rest();
    const reader = await items(call);
    const fates: string[] = [];
    for (const wait of [6_000, 6_000, 6_000, 11_000]) {
      const next = reader.next().then(
        ({ done }) => void fates.push(done ? 'done' : 'item'),
        (failure: TransportError) => void fates.push(failure.code),
      );
      fixture.pair.pass(wait);
      await fixture.rest();
      writers[0]!.write(one(1)).catch(() => {});
      await fixture.rest();
      await next;
    }
    t.deepEqual(fates, expected);
  }
});

test('a duplex call streams both ways at once', async (t) => {
  const fixture = new CallFixture();
  fixture.serve(fixture.pair.acceptor, {
    both: async function* (_request: unknown, rpc: { upload?: AsyncIterable<unknown> }) {
      for await (const item of rpc.upload!) yield one((item as Uint8Array)[0]! * 2);
    } as unknown as AnyHandler,
  });
  const call = fixture.call(fixture.pair.dialer, 'both', one(0), { upload: upload(1, 2, 3) });
  await fixture.rest();
  const reader = await items(call);
  const read: number[] = [];
  const reading = (async () => {
    for await (const item of reader) read.push(item[0]!);
  })();
  for (let i = 0; i < 5; i++) await fixture.rest();
  await reading;
  t.deepEqual(read, [2, 4, 6]);
});
