// Tests of adaptive limits and of admission.

import {
  bytes,
  createTransport,
  defineProtocol,
  serve,
  type TransportError,
} from '@trunkline/transport-core';
import { createManualClock } from '@trunkline/transport-core/testing';
import { inmem } from '@trunkline/transport-inmem';
import test, { type ExecutionContext } from 'ava';
import { resilienceMetadata } from '../resilience-metadata.ts';
import { FakeServer, fakeCall, settled } from '../testing/fake-call.ts';
import { type AdmissionOptions, createAdmission } from './admission.ts';
import { AdmissionQueue } from './admission-queue.ts';
import { createConcurrencyLimit } from './concurrency-limit.ts';
import { GradientLimit } from './gradient.ts';

const SETTINGS = { initial: 20, min: 20, max: 200, tolerance: 1.5, window: 1_000 };

/**
 * Feeds a limit with the latencies of a server that handles `capacity` calls at a time in 10 ms
 * each; the number of calls in flight is always the limit. Returns the limit at the end.
 */
function settleLimit(limit: GradientLimit, capacity: number, windows: number, from = 0): number {
  for (let n = from; n < from + windows; n++) {
    const inFlight = limit.limit;
    const latency = 10 * Math.max(1, inFlight / capacity);
    for (let sample = 0; sample < 20; sample++)
      limit.record(latency, inFlight, n * 1_000 + sample * 52);
  }
  return limit.limit;
}

test('a limit grows while latency is as usual, and shrinks when calls queue', (t) => {
  const limit = new GradientLimit(SETTINGS, '');
  const fast = settleLimit(limit, 1_000, 100);
  t.is(fast, 99, 'it grows by 0.8 a window, and the last window has not ended');
  const slow = settleLimit(limit, 40, 60, 100);
  t.true(slow < 75, `${slow}`);
  t.true(slow >= 20);
});

test('a limit that is not used does not grow', (t) => {
  const limit = new GradientLimit(SETTINGS, '');
  for (let n = 0; n < 1_000; n++) limit.record(10, 5, n * 100);
  t.is(limit.limit, 20);
});

test('a client refuses calls above its limit, unsent', async (t) => {
  const server = new FakeServer();
  const limit = createConcurrencyLimit({ clock: server.clock, min: 2, max: 2 });
  const send = () => server.send(limit.interceptor, fakeCall());
  const first = send();
  void send();
  const error = await t.throwsAsync<TransportError>(send(), { code: 'resource_exhausted' });
  t.is(error.message, 'orders/get: 2 calls are in flight, and the adaptive limit is 2');
  t.false(error.sent);
  await server.attempts[0]!.answer('done');
  await first;
  void send();
  t.is(server.attempts.length, 3);
  t.like(limit.snapshot(), { limit: 2, inFlight: 2, refused: 1 });
});

/** Adds calls to a queue, and records the names of those that it admits or, with `!`, refuses. */
function recorded(queue: AdmissionQueue) {
  const order: string[] = [];
  const add = (name: string, priority: number, since: number) =>
    queue.add(
      { priority, since, settle: (refusal) => order.push(name + (refusal ? '!' : '')) },
      since,
    );
  return { order, add };
}

test('a queue admits the most important first, and the oldest of those', (t) => {
  const queue = new AdmissionQueue({ length: 10, target: 5, interval: 100 });
  const { order, add } = recorded(queue);
  add('a', 5, 0);
  add('b', 9, 1);
  add('c', 5, 2);
  for (let n = 0; n < 3; n++) t.true(queue.admitNext(3));
  t.false(queue.admitNext(3));
  t.deepEqual(order, ['b', 'a', 'c']);
});

test('a standing queue refuses calls that waited too long, and admits the newest', (t) => {
  const queue = new AdmissionQueue({ length: 100, target: 5, interval: 100 });
  const { order, add } = recorded(queue);
  add('old', 5, 0);
  add('older than the target', 5, 90);
  add('second', 5, 98);
  add('newest', 5, 99);
  queue.admitNext(101);
  t.deepEqual(order, ['old!', 'older than the target!', 'newest']);
});

test('only the lowest priority that waits has the short target', (t) => {
  const queue = new AdmissionQueue({ length: 100, target: 5, interval: 100 });
  const { order, add } = recorded(queue);
  add('low', 2, 0);
  add('important', 8, 50);
  add('also important', 8, 99);
  queue.admitNext(101);
  t.deepEqual(order, ['low!', 'important'], 'the oldest is admitted, and nobody else is refused');
  queue.admitNext(140);
  t.deepEqual(order.slice(2), ['also important'], 'low calls have waited within an interval');
  add('important again', 8, 300);
  add('newest', 8, 402);
  queue.admitNext(404);
  t.deepEqual(order.slice(3), ['important again!', 'newest'], 'now these are the lowest');
});

test('important calls that are an overload by themselves are admitted from the newest', (t) => {
  const queue = new AdmissionQueue({ length: 100, target: 5, interval: 100 });
  const { order, add } = recorded(queue);
  for (let now = 0; now <= 360; now += 60) {
    add(`${now}`, 8, now);
    add(`${now + 1}`, 8, now + 1);
    add('low', 2, now);
    if (now > 0) queue.admitNext(now + 2);
  }
  const admitted = order.filter((name) => !name.endsWith('!'));
  t.deepEqual(admitted, ['0', '60', '120', '180', '301', '361']);
});

test('a full queue refuses the oldest of the least important calls', (t) => {
  const queue = new AdmissionQueue({ length: 2, target: 5, interval: 100 });
  const order: string[] = [];
  const add = (name: string, priority: number) =>
    queue.add({ priority, since: 0, settle: (refusal) => order.push(`${name}: ${refusal}`) }, 0);
  add('low', 1);
  add('usual', 5);
  add('also low', 1);
  add('high', 9);
  t.deepEqual(order, [
    'also low: 2 calls already wait to be admitted',
    'low: 2 calls already wait to be admitted',
  ]);
});

const orders = defineProtocol({
  name: 'orders',
  methods: { work: { id: 1, request: bytes, response: bytes } },
});

/** Starts a server whose handlers run until the test ends them. */
async function startServer(t: ExecutionContext, options: AdmissionOptions) {
  const backends = [inmem()];
  const clock = createManualClock();
  const admission = createAdmission({ clock, ...options });
  const running: (() => void)[] = [];
  const server = createTransport('inmem://orders', {
    protocol: orders,
    backends,
    interceptors: { server: [admission.interceptor] },
  });
  serve(server, {
    work: (request) => new Promise((resolve) => running.push(() => resolve(request))),
  });
  await server.listen();
  const client = createTransport({ protocol: orders, backends });
  t.teardown(() => server.close());
  t.teardown(() => client.close());
  let sent = 0;
  const send = async (priority?: string, signal?: AbortSignal) => {
    const metadata: Record<string, string> =
      priority === undefined ? {} : { [resilienceMetadata.priority]: priority };
    const result = client.send('inmem://orders', 'work', Uint8Array.of(++sent), {
      metadata,
      signal,
    });
    result.catch(() => {});
    const before = seen(admission);
    while (seen(admission) === before) await new Promise((resolve) => setImmediate(resolve));
    return { result };
  };
  return { admission, clock, running, send };
}
const seen = (admission: ReturnType<typeof createAdmission>) => {
  const { admitted, waiting, refused } = admission.snapshot();
  return admitted + waiting + refused;
};

test('a server admits up to its limit, and then by priority', async (t) => {
  const { admission, running, send } = await startServer(t, {
    limit: { min: 1, max: 1 },
    queue: { length: 2 },
  });
  const first = await send();
  const low = await send('1');
  const high = await send('9');
  t.like(admission.snapshot(), { limit: 1, running: 1, waiting: 2, admitted: 1 });
  const usual = (await send()).result;
  const error = await t.throwsAsync<TransportError>(low.result, { code: 'resource_exhausted' });
  t.is(error.message, 'orders/work: the server is overloaded: 2 calls already wait to be admitted');
  t.false(error.sent, 'no handler has seen it');
  running[0]!();
  t.deepEqual(await first.result, Uint8Array.of(1));
  await settled();
  t.is(running.length, 2);
  running[1]!();
  t.deepEqual(await high.result, Uint8Array.of(3));
  running[2]!();
  await usual;
  t.like(admission.snapshot(), { running: 0, waiting: 0, admitted: 3, refused: 1 });
});

test('a refusal may say when to try again, and a canceled call leaves the queue', async (t) => {
  const { admission, clock, running, send } = await startServer(t, {
    limit: { min: 1, max: 1 },
    pushback: 300,
  });
  const first = await send();
  const controller = new AbortController();
  const canceled = await send(undefined, controller.signal);
  const late = await send();
  controller.abort();
  await t.throwsAsync(canceled.result, { code: 'cancelled' });
  while (admission.snapshot().waiting > 1) await new Promise((resolve) => setImmediate(resolve));
  clock.advance(101);
  running[0]!();
  await first.result;
  const error = await t.throwsAsync<TransportError>(late.result, { code: 'resource_exhausted' });
  t.deepEqual({ ...error.metadata }, { 'retry-pushback-ms': '300' });
  t.is(running.length, 1);
});

test('a waiting call is refused after the interval, although no running call ends', async (t) => {
  const { admission, clock, send } = await startServer(t, { limit: { min: 1, max: 1 } });
  await send();
  const late = await send();
  clock.advance(99);
  t.is(admission.snapshot().waiting, 1);
  clock.advance(1);
  const error = await t.throwsAsync<TransportError>(late.result, { code: 'resource_exhausted' });
  t.regex(error.message, /it waited too long to be admitted/);
  t.like(admission.snapshot(), { running: 1, waiting: 0, refused: 1 });
  t.is(clock.timers, 0);
});

test('min is at most max, which may be below the default of min', (t) => {
  t.is(createConcurrencyLimit({ max: 10 }).snapshot().limit, 10);
  t.throws(() => createConcurrencyLimit({ min: 300 }), {
    instanceOf: TypeError,
    message: 'createConcurrencyLimit: min must be at most max (200), got 300',
  });
  t.throws(() => createAdmission({ limit: { min: 11, max: 10 } }), {
    instanceOf: TypeError,
    message: 'createAdmission: limit.min must be at most max (10), got 11',
  });
});

test('an inner interceptor that throws leaves no call in flight at a limit', async (t) => {
  const limit = createConcurrencyLimit({ min: 1, initial: 1, max: 1 });
  const send = limit.interceptor(() => {
    throw new TypeError('the name has no port');
  });
  for (let n = 0; n < 2; n++)
    await t.throwsAsync(async () => send(fakeCall()), { message: 'the name has no port' });
  t.is(limit.snapshot().inFlight, 0);
});
