// Tests of streams over lost connections: what both ends see.

import { createTransport, serve, type Transport, TransportError } from '@trunkline/transport-core';
import { createManualClock } from '@trunkline/transport-core/testing';
import { inmem } from '@trunkline/transport-inmem';
import { faulty } from '@trunkline/transport-testkit';
import test from 'ava';
import { resumable, resume, resumptionFailure } from '../index.resumption.ts';
import { ResumedStream } from './resumed-stream.ts';
import { all, type Feed, feed, fixture, idle, next, serving, until, upTo } from './testing/feed.ts';

const FAST = { initialBackoff: 1, maxBackoff: 5 };
const SERVER = 'inmem://server';

const range = (end: number) => Array.from({ length: end }, (_, i) => i);

test('a stream continues after each loss of its connection, and its handler runs once', async (t) => {
  let runs = 0;
  const { client, count, cut } = await fixture(t, (end) => {
    runs++;
    return upTo(end);
  });
  const read: number[] = [];
  for await (const item of await resume(client, SERVER, 'count', 300, FAST)) {
    read.push(item);
    if (item % 50 === 20) cut();
  }
  t.deepEqual(read, range(300));
  t.is(runs, 1);
  t.is(count.streams, 1, 'the stream is kept: the client may not have got its end');
});

test('a handler that calls rpc.write is continued in the same way', async (t) => {
  const { client, cut } = await fixture(t, async (end, rpc) => {
    t.is(rpc.request, end);
    t.is(rpc.method, 'count');
    t.is(rpc.version, 1);
    t.is(rpc.deadline, undefined);
    for (let value = 0; value < end; value++) await rpc.write(value);
  });
  const read: number[] = [];
  for await (const item of await resume(client, SERVER, 'count', 100, FAST)) {
    read.push(item);
    if (item % 30 === 10) cut();
  }
  t.deepEqual(read, range(100));
});

test('the end of a stream arrives, also if the connection is lost with it', async (t) => {
  const { client, cut } = await fixture(t, upTo);
  const items = await resume(client, SERVER, 'count', 3, FAST);
  t.deepEqual([await next(items), await next(items), await next(items)], [0, 1, 2]);
  cut();
  t.true((await items.next()).done);
  t.true((await items.next()).done);
});

test('a connection that is lost before the first item costs nothing', async (t) => {
  let release = () => {};
  const { client, cut } = await fixture(t, async function* (end) {
    await new Promise<void>((resolve) => (release = resolve));
    yield* upTo(end);
  });
  const items = await resume(client, SERVER, 'count', 5, FAST);
  const reading = all(items);
  await idle();
  cut();
  await idle();
  cut();
  release();
  t.deepEqual(await reading, range(5));
});

test('a client that cannot reach the server at first tries again', async (t) => {
  const memory = inmem();
  const client = createTransport({ protocol: feed, backends: [memory] });
  const server = createTransport(SERVER, { protocol: feed, backends: [memory] });
  t.teardown(() => Promise.all([client.close(), server.close()]));
  const opening = resume(client, SERVER, 'count', 3, FAST);
  await idle();
  serve(server, { count: resumable(server, 'count', upTo) });
  await server.listen();
  t.deepEqual(await all(await opening), range(3));
});

test('an error of the handler arrives as it is, and is not repeated', async (t) => {
  let runs = 0;
  const { client, cut } = await fixture(t, async function* () {
    runs++;
    yield 0;
    throw new TransportError('unavailable', 'the disk is gone', { metadata: { disk: 'b' } });
  });
  const items = await resume(client, SERVER, 'count', 3, FAST);
  t.is(await next(items), 0);
  cut();
  const error = await t.throwsAsync<TransportError>(items.next(), { code: 'unavailable' });
  t.is(error.metadata?.['disk'], 'b');
  t.is(resumptionFailure(error), undefined);
  t.true((await items.next()).done);
  t.is(runs, 1);
});

test('leaving the loop aborts the handler, and the stream is not kept', async (t) => {
  let cleaned = 0;
  const { client, count } = await fixture(t, async function* (end, { signal }) {
    signal.addEventListener('abort', () => cleaned++);
    try {
      yield* upTo(end);
    } finally {
      cleaned++;
    }
  });
  for await (const item of await resume(client, SERVER, 'count', 1_000_000, FAST))
    if (item === 10) break;
  await until(() => count.streams === 0 && cleaned === 2);
  t.is(count.bytes, 0);
});

test('a stream ends while nobody reads it, and leaving it meanwhile ends the wait', async (t) => {
  const { client } = await fixture(t, () => ({
    [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }),
  }));
  const items = await resume(client, SERVER, 'count', 1, FAST);
  const waiting = items.next();
  await idle();
  t.true((await items.return!()).done);
  t.true((await waiting).done);
});

const FAILING = [
  () => Promise.reject(new Error('the clean-up failed')),
  () => {
    throw new Error('the clean-up failed');
  },
];

test('leaving a stream ignores an error of the iterator below it', async (t) => {
  const clock = createManualClock();
  const call = { clock, random: () => 0.5, name: 'feed/count', target: SERVER };
  const config = { ...FAST, timeout: Number.POSITIVE_INFINITY, attempts: 3 };
  for (const fail of FAILING) {
    const iterator = { next: () => Promise.resolve({ value: 0, done: false }), return: fail };
    const items = { [Symbol.asyncIterator]: () => iterator };
    const stream = new ResumedStream<number>(call, async () => items, config);
    await stream.open();
    t.is(await next(stream), 0);
    t.true((await stream.return()).done);
  }
});

test('an error of the iterator of a handler is ignored when its client has left', async (t) => {
  let left = 0;
  for (const fail of FAILING) {
    const iterator = {
      next: () => new Promise<never>(() => {}),
      return: () => {
        left++;
        return fail();
      },
    };
    const { client, count } = await fixture(t, () => ({ [Symbol.asyncIterator]: () => iterator }));
    const items = await resume(client, SERVER, 'count', 1, FAST);
    await until(() => count.streams === 1);
    await items.return!();
    await until(() => count.streams === 0);
  }
  t.is(left, 2);
});

test('a slow reader holds up the handler, before and after a loss', async (t) => {
  let written = 0;
  const limits = { credit: { stream: 8 * 1024 } };
  const write = async function* (end: number) {
    for (; written < end; written++) yield new Uint8Array(1_024).fill(written % 251);
  };
  const { client, network } = await serving(
    t,
    (server) => ({ blobs: resumable(server, 'blobs', write) }),
    { limits },
  );
  const items = await resume(client, SERVER, 'blobs', 200, FAST);
  let most = 0;
  for (let read = 0; read < 200; read++) {
    const item = await next(items);
    t.true(item.every((byte) => byte === read % 251));
    await idle();
    most = Math.max(most, written - read);
    if (read % 40 === 5) network.cut();
  }
  t.true(most <= 24, `the handler was ${most} items ahead`);
  t.true((await items.next()).done);
});

test('a second call with the same token replaces the first', async (t) => {
  const { client, cut } = await fixture(t, async function* () {
    yield* upTo(5);
    await new Promise(() => {});
  });
  const metadata: Record<string, string>[] = [];
  const spied = spy(client, (options) => metadata.push(options.metadata));
  const first = await resume(spied, SERVER, 'count', 5, FAST);
  for (let i = 0; i < 5; i++) await next(first);
  const waiting = first.next();
  waiting.catch(() => {});
  await idle();
  const second = await client.send(SERVER, 'count', 5, {
    metadata: { ...metadata[0]!, 'trunkline-resume-offset': '3' },
  });
  const items = second[Symbol.asyncIterator]();
  t.deepEqual([await next(items), await next(items)], [3, 4]);
  const error = await t.throwsAsync<TransportError>(waiting, { code: 'aborted' });
  t.is(resumptionFailure(error), 'replaced');
  t.true((await first.next()).done);
  cut();
});

test('a server that was restarted does not know the stream', async (t) => {
  const memory = inmem();
  const network = faulty(memory, { seed: 1 });
  const start = async () => {
    const server = createTransport(SERVER, { protocol: feed, backends: [memory] });
    serve(server, { count: resumable(server, 'count', upTo) });
    await server.listen();
    return server;
  };
  const client = createTransport({ protocol: feed, backends: [network] });
  t.teardown(() => client.close());
  const before = await start();
  const items = await resume(client, SERVER, 'count', 1_000_000, FAST);
  for (let i = 0; i < 10; i++) t.is(await next(items), i);
  network.cut();
  await before.close();
  const after = await start();
  t.teardown(() => after.close());
  const error = await t.throwsAsync<TransportError>(all(items), { code: 'not_found' });
  t.is(resumptionFailure(error), 'unknown');
  t.is(error.origin, 'remote');
});

test('a handler that is not resumable is never read twice', async (t) => {
  const { client, network } = await serving(t, () => ({ count: upTo }));
  t.deepEqual(await all(await resume(client, SERVER, 'count', 5, FAST)), range(5));
  const items = await resume(client, SERVER, 'count', 1_000_000, FAST);
  t.is(await next(items), 0);
  network.cut();
  const read: number[] = [];
  const error = await t.throwsAsync<TransportError>(
    (async () => {
      for await (const item of items) read.push(item);
    })(),
    { code: 'unimplemented' },
  );
  t.is(resumptionFailure(error), 'unsupported');
  t.deepEqual(
    read,
    read.map((_, i) => i + 1),
  );
});

test('a resumable handler also serves ordinary calls', async (t) => {
  const { client, count } = await fixture(t, upTo);
  t.deepEqual(await all(await client.send(SERVER, 'count', 4)), range(4));
  t.is(count.streams, 0);
});

test('the metadata of the caller reaches the handler, without that of the stream', async (t) => {
  const seen: unknown[] = [];
  const { client } = await fixture(t, (end, { metadata }) => {
    seen.push({ ...metadata });
    return upTo(end);
  });
  const options = { ...FAST, metadata: { tenant: 'a' } };
  await all(await resume(client, SERVER, 'count', 1, options));
  t.deepEqual(seen, [{ tenant: 'a' }]);
});

test('malformed metadata is refused', async (t) => {
  const { client } = await fixture(t, upTo);
  const token = 'ab'.repeat(16);
  const wrong: Record<string, string>[] = [
    { 'trunkline-resume': 'x' },
    { 'trunkline-resume': `${token}0` },
    { 'trunkline-resume': token, 'trunkline-resume-offset': '-1' },
    { 'trunkline-resume': token, 'trunkline-resume-offset': '1e3' },
  ];
  for (const metadata of wrong) {
    const items = await client.send(SERVER, 'count', 1, { metadata });
    await t.throwsAsync(all(items), { code: 'invalid_argument', message: /trunkline-resume/ });
  }
  const huge = { 'trunkline-resume': token, 'trunkline-resume-offset': String(1e15) };
  await t.throwsAsync(all(await client.send(SERVER, 'count', 1, { metadata: huge })), {
    message: /an integer from 0 to 10\^15 - 1, got "1000000000000000"/,
  });
  const beyond = { 'trunkline-resume': token, 'trunkline-resume-offset': '7' };
  await t.throwsAsync(all(await client.send(SERVER, 'count', 1, { metadata: beyond })), {
    code: 'not_found',
  });
});

test('an item that the codec refuses ends the stream', async (t) => {
  const { client } = await serving(t, (server) => ({
    blobs: resumable(server, 'blobs', async (_, rpc) => {
      await rpc.write(new Uint8Array(1));
      await rpc.write('text' as never);
    }),
  }));
  const items = await resume(client, SERVER, 'blobs', 1, FAST);
  t.is((await next(items)).length, 1);
  await t.throwsAsync(items.next(), { code: 'invalid_argument' });
});

test('bytes are copied, so that a handler may use its buffer again', async (t) => {
  const buffer = new Uint8Array(4);
  const { client, network } = await serving(t, (server) => ({
    blobs: resumable(server, 'blobs', async function* (end) {
      for (let i = 0; i < end; i++) yield buffer.fill(i);
    }),
  }));
  let read = 0;
  for await (const item of await resume(client, SERVER, 'blobs', 100, FAST)) {
    t.deepEqual([...item], [read, read, read, read]);
    if (++read % 20 === 0) network.cut();
  }
  t.is(read, 100);
});

test('misuse is a TypeError', async (t) => {
  const { client, server } = await fixture(t, upTo);
  const method = 'ask' as 'count';
  t.throws(() => resumable(server, method, upTo), { instanceOf: TypeError, message: /download/ });
  t.throws(() => resumable(server, 'none' as 'count', upTo), { message: /has no method 'none'/ });
  t.throws(() => resumable(server, 'count', 1 as never), { message: /must be a function/ });
  t.throws(() => resumable(server, 'count', upTo, { items: 0 }), { message: /items/ });
  t.throws(() => resumable(server, 'count', upTo, { streams: 2, streamsPerCaller: 3 }), {
    message: /streamsPerCaller/,
  });
  t.throws(() => resumable(server, 'count', upTo, { disconnected: 'go' as 'wait' }), {
    message: /'wait' or 'continue'/,
  });
  await t.throwsAsync(resume(client, SERVER, method, 1), { instanceOf: TypeError });
  await t.throwsAsync(resume(client, SERVER, 'count', 1, { attempts: 0 }), {
    instanceOf: TypeError,
    message: /attempts/,
  });
  const remote = await client.dial(SERVER);
  await t.throwsAsync(resume(client, remote as never, 'count', 1), { message: /address/ });
});

test('a request that its codec refuses, and a closed transport, end the stream at once', async (t) => {
  const { client } = await fixture(t, upTo);
  await client.close();
  await t.throwsAsync(resume(client, SERVER, 'count', 1, FAST), { code: 'shutdown' });
});

/** Returns a transport that shows the options of each call. */
function spy(
  transport: Transport<Feed>,
  show: (options: { metadata: Record<string, string> }) => void,
): Transport<Feed> {
  const { protocol, clock, random } = transport;
  const send = (
    target: string,
    method: string,
    request: unknown,
    options: { metadata: Record<string, string>; signal: AbortSignal },
  ) => {
    show(options);
    return transport.send(target, method as 'count', request as number, options);
  };
  return { protocol, clock, random, send } as never;
}

test('items that a handler returns after its stream has ended are returned unread', async (t) => {
  let left = 0;
  const items: AsyncIterableIterator<number> = {
    [Symbol.asyncIterator]: () => items,
    next: () => new Promise<never>(() => {}),
    return: async () => {
      left++;
      return { value: undefined, done: true };
    },
  };
  const { client } = await fixture(t, async (_, rpc) => {
    rpc.end();
    return items;
  });
  t.deepEqual(await all(await resume(client, SERVER, 'count', 1, FAST)), []);
  t.is(left, 1);
});
