// Tests of downloads that are iterated without being awaited and fail before their first item. AVA
// fails the file if a rejection stays unhandled.

import { bytes, createTransport, defineProtocol } from '@trunkline/transport-core';
import test, { type ExecutionContext } from 'ava';
import { inmem } from './index.ts';
import { pair } from './testing/pair.ts';

const protocol = defineProtocol({
  name: 'feed',
  methods: {
    feed: { request: bytes, download: bytes },
    echo: { request: bytes, upload: bytes, download: bytes },
    sum: { request: bytes, upload: bytes, response: bytes },
  },
});
const EMPTY = new Uint8Array();
const AT = 'inmem://server';

async function fixture(t: ExecutionContext, callerStacks = false) {
  const handlers = { feed: () => new Promise<never>(() => {}) };
  return (await pair(t, protocol, handlers, { client: { callerStacks } })).client;
}

async function read(items: AsyncIterable<Uint8Array>): Promise<number> {
  let count = 0;
  for await (const _ of items) count++;
  return count;
}

for (const callerStacks of [false, true]) {
  const how = callerStacks ? 'with' : 'without';

  test(`${how} callerStacks, the loop throws the error of the dial`, async (t) => {
    const client = await fixture(t, callerStacks);
    const error = await t.throwsAsync(read(client.to('inmem://nobody').feed(EMPTY)), {
      code: 'unavailable',
    });
    t.is(/send was called/.test(error?.stack ?? ''), callerStacks);
    async function* upload() {}
    const options = { upload: upload() };
    await t.throwsAsync(read(client.send('inmem://nobody', 'echo', EMPTY, options)), {
      code: 'unavailable',
    });
  });

  test(`${how} callerStacks, an abort before the first item ends the loop`, async (t) => {
    const client = await fixture(t, callerStacks);
    const controller = new AbortController();
    const { signal } = controller;
    const reading = read(client.to(AT).feed(EMPTY, { signal }));
    controller.abort();
    await t.throwsAsync(reading, { code: 'cancelled' });
    await t.throwsAsync(read(client.to(AT).feed(EMPTY, { signal })), { code: 'cancelled' });
    await client.dial(AT);
    const second = new AbortController();
    const call = client.to(AT).feed(EMPTY, { signal: second.signal });
    await call;
    const waiting = read(call);
    second.abort();
    await t.throwsAsync(waiting, { code: 'cancelled' });
  });

  test(`${how} callerStacks, a call of a closed transport throws in the loop`, async (t) => {
    const client = await fixture(t, callerStacks);
    await client.close();
    await t.throwsAsync(read(client.to(AT).feed(EMPTY)), { code: 'shutdown' });
    await t.throwsAsync(client.to(AT).feed(EMPTY), { code: 'shutdown' });
  });
}

test('a download that is only awaited rejects, and only streams are iterable', async (t) => {
  const client = await fixture(t);

  await t.throwsAsync(client.to('inmem://nobody').feed(EMPTY), { code: 'unavailable' });
  async function* upload() {}
  const sum = client.to('inmem://nobody').sum(EMPTY, { upload: upload() });
  t.false(Symbol.asyncIterator in sum);
  await t.throwsAsync(sum, { code: 'unavailable' });
});

test('an upload whose call never starts is closed', async (t) => {
  const client = await fixture(t);
  let left = 0;
  const upload: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => upload,
    next: () => new Promise<never>(() => {}),
    return: async () => {
      left++;
      return { value: undefined, done: true };
    },
  };
  await t.throwsAsync(client.send(AT, 'sum', EMPTY, { upload, signal: AbortSignal.abort() }));
  t.is(left, 1);
  await t.throwsAsync(client.send(AT, 'sum', 'no bytes' as never, { upload }));
  t.is(left, 2);
  const refusing = createTransport({
    protocol,
    backends: [inmem()],
    interceptors: { client: [() => () => Promise.reject(new Error('refused'))] },
  });
  await t.throwsAsync(refusing.send(AT, 'sum', EMPTY, { upload }));
  t.is(left, 3);
  await client.close();
  await t.throwsAsync(client.send(AT, 'echo', EMPTY, { upload }), { code: 'shutdown' });
  t.is(left, 4);
});
