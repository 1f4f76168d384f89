// Tests of the metrics of transports and calls.

import {
  bytes,
  type CallRecord,
  createTransport,
  defineProtocol,
  serve,
  TransportError,
} from '@trunkline/transport-core';
import { inmem } from '@trunkline/transport-inmem';
import test, { type ExecutionContext } from 'ava';
import { createMetrics, type MetricPoint, type Metrics } from './index.ts';

const protocol = defineProtocol({
  name: 'echo',
  methods: {
    echo: { id: 1, request: bytes, response: bytes },
    fail: { id: 2, request: bytes, response: bytes },
    hang: { id: 3, request: bytes, response: bytes },
    count: { id: 4, request: bytes, download: bytes },
    flood: { id: 5, request: bytes, download: bytes },
  },
});

async function fixture(t: ExecutionContext) {
  const backends = [inmem()];
  const metrics = { client: createMetrics(), server: createMetrics() };
  const server = createTransport('inmem://server', {
    protocol,
    backends,
    observer: metrics.server.observer,
  });
  let release: (() => void) | undefined;
  serve(server, {
    echo: (request) => request,
    fail: () => {
      throw new TransportError('not_found', 'there is none');
    },
    hang: () => new Promise((resolve) => (release = () => resolve(new Uint8Array()))),
    flood: async function* () {
      for (;;) yield new Uint8Array(65_536);
    },
    count: async function* () {
      yield new Uint8Array(1);
      await new Promise<void>((resolve) => (release = resolve));
    },
  });
  await server.listen();
  const client = createTransport({ protocol, backends, observer: metrics.client.observer });
  metrics.client.watch({ transport: client });
  metrics.server.watch({ transport: server });
  t.teardown(() => Promise.all([client.close(), server.close()]));
  return { metrics, client, server, release: () => release?.() };
}

/** Returns the points of a metric. */
function points(metrics: Metrics, name: string): readonly MetricPoint[] {
  return metrics.collect().find((metric) => metric.name === name)!.points;
}

/** Returns the values of a metric, keyed by its labels. */
function values(metrics: Metrics, name: string): Record<string, number> {
  return Object.fromEntries(
    points(metrics, name).map(({ attributes, value, buckets }) => [
      Object.values(attributes).join(' '),
      buckets?.count ?? value,
    ]),
  );
}

test('calls are timed by method and code, at both ends', async (t) => {
  const { metrics, client } = await fixture(t);
  const to = 'inmem://server';
  await client.send(to, 'echo', new Uint8Array(3));
  await client.send(to, 'echo', new Uint8Array(3));
  await t.throwsAsync(client.send(to, 'fail', new Uint8Array()), { code: 'not_found' });
  const counts = {
    'trunkline echo/echo ok': 2,
    'trunkline echo/fail not_found not_found': 1,
  };
  t.deepEqual(values(metrics.client, 'rpc.client.call.duration'), counts);
  t.deepEqual(values(metrics.server, 'rpc.server.call.duration'), counts);
  t.deepEqual(points(metrics.client, 'rpc.server.call.duration'), []);
  t.deepEqual(values(metrics.client, 'trunkline.client.call.attempts'), {
    'trunkline echo/echo': 2,
    'trunkline echo/fail': 1,
  });
  const [{ attributes, buckets, value }] = points(metrics.client, 'rpc.client.call.duration') as [
    MetricPoint,
  ];
  t.deepEqual(attributes, {
    'rpc.system.name': 'trunkline',
    'rpc.method': 'echo/echo',
    'rpc.status_code': 'ok',
  });
  t.is(buckets!.counts.length, buckets!.bounds.length + 1);
  t.is(
    buckets!.counts.reduce((sum, count) => sum + count),
    2,
  );
  t.true(value > 0 && value < 2);
});

test('a call is active from its start to its end', async (t) => {
  const { metrics, client, release } = await fixture(t);
  const call = client.send('inmem://server', 'hang', new Uint8Array());
  const active = () => [
    values(metrics.client, 'trunkline.client.call.active')['trunkline echo/hang'],
    values(metrics.server, 'trunkline.server.call.active')['trunkline echo/hang'],
  ];
  while (active()[1] !== 1) await client.clock.sleep(1);
  t.deepEqual(active(), [1, 1]);
  release();
  await call;
  t.deepEqual(active(), [0, 0]);
});

test('a call that its caller cancels has no error type', async (t) => {
  const { metrics, client } = await fixture(t);
  const controller = new AbortController();
  const { signal } = controller;
  const call = client.send('inmem://server', 'hang', new Uint8Array(), { signal });
  const active = () =>
    values(metrics.server, 'trunkline.server.call.active')['trunkline echo/hang'];
  while (active() !== 1) await client.clock.sleep(1);
  controller.abort();
  await t.throwsAsync(call, { code: 'cancelled' });
  while (active() !== 0) await client.clock.sleep(1);
  const counts = { 'trunkline echo/hang cancelled': 1 };
  t.deepEqual(values(metrics.client, 'rpc.client.call.duration'), counts);
  t.deepEqual(values(metrics.server, 'rpc.server.call.duration'), counts);
});

test('attempts and waiting times of streaming calls are counted, too', async (t) => {
  const { metrics, client, release } = await fixture(t);
  for (const _ of [1, 2]) {
    const items = (await client.send('inmem://server', 'count', new Uint8Array()))[
      Symbol.asyncIterator
    ]();
    await items.next();
    release();
    await items.next();
  }
  t.deepEqual(values(metrics.client, 'trunkline.client.call.attempts'), {
    'trunkline echo/count': 2,
  });
  t.deepEqual(values(metrics.client, 'trunkline.client.call.queued'), {
    'trunkline echo/count': 2,
  });
});

test('snapshots give connections, streams, queues and memory', async (t) => {
  const { metrics, client, release } = await fixture(t);
  const items = await client.send('inmem://server', 'count', new Uint8Array());
  const iterator = items[Symbol.asyncIterator]();
  await iterator.next();
  t.deepEqual(values(metrics.client, 'trunkline.connection.count'), { in: 0, out: 1 });
  t.deepEqual(values(metrics.server, 'trunkline.connection.count'), { in: 1, out: 0 });
  t.deepEqual(values(metrics.client, 'trunkline.stream.active'), { '': 1 });
  t.deepEqual(values(metrics.client, 'trunkline.stream.blocked'), { '': 0 });
  t.deepEqual(values(metrics.client, 'trunkline.queue.messages'), { inbound: 0, outbound: 0 });
  t.deepEqual(values(metrics.client, 'trunkline.memory.limit'), { '': 512 * 1024 ** 2 });
  t.deepEqual(values(metrics.client, 'trunkline.dial.duration'), { '': 1 });
  t.deepEqual(values(metrics.server, 'trunkline.handshake.duration'), { in: 1 });
  release();
  await iterator.next();
});

test('a stream that its reader does not take is blocked', async (t) => {
  const { metrics, client } = await fixture(t);
  const items = await client.send('inmem://server', 'flood', new Uint8Array());
  const blocked = () => values(metrics.server, 'trunkline.stream.blocked')[''];
  while (blocked() === 0) await client.clock.sleep(1);
  t.is(blocked(), 1);
  for await (const _ of items) break;
  while (blocked() === 1) await client.clock.sleep(1);
  t.is(blocked(), 0);
});

test('bytes and closed connections are counted after their connection has ended', async (t) => {
  const { metrics, client, server } = await fixture(t);
  await client.send('inmem://server', 'echo', new Uint8Array(1_000));
  const { receive, transmit } = values(metrics.client, 'trunkline.io');
  t.true(receive! > 1_000 && transmit! > 1_000);
  await client.close();
  await server.close();
  const atEnd = values(metrics.client, 'trunkline.io');
  t.true(atEnd['receive']! >= receive! && atEnd['transmit']! >= transmit!);
  t.deepEqual(values(metrics.client, 'trunkline.io'), atEnd, 'the closed transport is let go');
  t.deepEqual(values(metrics.client, 'trunkline.connection.count'), { in: 0, out: 0 });
  const closed = Object.values(values(metrics.server, 'trunkline.connection.closed'));
  t.deepEqual(closed, [1]);
});

test('a transport that is no longer watched keeps its sums and loses its levels', async (t) => {
  const { client } = await fixture(t);
  const metrics = createMetrics();
  const stop = metrics.watch({ transport: client });
  await client.send('inmem://server', 'echo', new Uint8Array(1_000));
  const before = values(metrics, 'trunkline.io');
  stop();
  stop();
  t.deepEqual(values(metrics, 'trunkline.io'), before);
  t.deepEqual(values(metrics, 'trunkline.memory.limit'), { '': 0 });
});

test('methods above the limit are counted as one', (t) => {
  const metrics = createMetrics({ methods: 2 });
  const call = (method: string) => {
    const record = { protocol: 'many', method, attempts: 1, queued: 0, duration: 1 } as CallRecord;
    metrics.observer.callStarted!(record);
    metrics.observer.callEnded!(record);
  };
  for (let i = 0; i < 10; i++) call(`m${i}`);
  call('m1');
  t.deepEqual(values(metrics, 'rpc.client.call.duration'), {
    'trunkline many/m0 ok': 1,
    'trunkline many/m1 ok': 2,
    'trunkline _OTHER ok': 8,
  });
  const active = Object.values(values(metrics, 'trunkline.client.call.active'));
  t.deepEqual(active, [0, 0, 0]);
});

test('lost and refused messages are counted, and their counters exist from the start', (t) => {
  const metrics = createMetrics();
  t.deepEqual(values(metrics, 'trunkline.oneway.dropped'), { dropped: 0, lost: 0 });
  metrics.observer.count!('onewayLost', 3, undefined, false);
  metrics.observer.count!('refusedCall', 2, undefined, false);
  t.deepEqual(values(metrics, 'trunkline.oneway.dropped'), { dropped: 0, lost: 3 });
  t.deepEqual(values(metrics, 'trunkline.server.call.refused'), { '': 2 });
});

test('bounds must be ascending numbers', (t) => {
  for (const bounds of [[], [1, 1], [2, 1], [Number.NaN], [1, Number.POSITIVE_INFINITY]])
    t.throws(() => createMetrics({ bounds }), { instanceOf: TypeError, message: /bounds/ });
  t.throws(() => createMetrics({ methods: -1 }), { instanceOf: TypeError, message: /methods/ });
});

test('a node has its name, its version, the end of its certificate, and whether it drains', (t) => {
  const metrics = createMetrics();
  const state = (more: object) => ({
    snapshot: () =>
      ({ ...createTransport({ protocol, backends: [inmem()] }).snapshot(), ...more }) as never,
  });
  const transport = { name: 'blue', version: '1.2.3' };
  metrics.watch({ transport: state({ ...transport, certificateEnd: 5_000, draining: true }) });
  metrics.watch({ transport: state({ ...transport, certificateEnd: 4_000 }) });
  metrics.watch({ transport: state({ version: '1.2.4', name: undefined }) });
  t.deepEqual(
    points(metrics, 'target.info').map(({ attributes, value }) => [attributes, value]),
    [
      [{ 'trunkline.version': '1.2.3', 'trunkline.node.name': 'blue' }, 1],
      [{ 'trunkline.version': '1.2.4' }, 1],
    ],
  );
  t.deepEqual(values(metrics, 'trunkline.certificate.expiration.timestamp'), { '': 4 });
  t.deepEqual(values(metrics, 'trunkline.transport.draining'), { '': 1 });
  t.deepEqual(points(createMetrics(), 'trunkline.certificate.expiration.timestamp'), []);
});

test('failed listeners and lost brokers are counted', (t) => {
  const metrics = createMetrics();
  const error = new TransportError('unavailable', 'gone');
  t.deepEqual(values(metrics, 'trunkline.listener.failed'), { '': 0 });
  const { observer } = metrics;
  observer.event!({ type: 'listenFailed', error, retryIn: 10 });
  observer.event!({ type: 'broker', state: 'connected', server: 'a:4222' });
  t.deepEqual(values(metrics, 'trunkline.broker.events'), { connected: 1, lost: 0 });
  observer.event!({ type: 'broker', state: 'lost', server: 'a:4222', error });
  t.deepEqual(values(metrics, 'trunkline.broker.events'), { connected: 1, lost: 1 });
  t.deepEqual(values(metrics, 'trunkline.listener.failed'), { '': 1 });
});

test('names of targets are labels for the first 100 of them', (t) => {
  const metrics = createMetrics();
  const names = Array.from({ length: 103 }, (_, i) => ({
    ...{
      name: `service:${i}`,
      waiting: 1,
      addresses: [{ status: 'up' }, { status: 'not_serving' }],
    },
  }));
  metrics.watch({ balancer: { snapshot: () => ({ names, events: {} }) } });
  for (let times = 0; times < 2; times++) {
    const counts = values(metrics, 'trunkline.balancer.address.count');
    t.is(Object.keys(counts).length, 101 * 5);
    t.is(counts['service:99 up'], 1);
    t.is(counts['service:99 not_serving'], 1);
    t.is(counts['_OTHER up'], 3);
  }
  t.deepEqual(values(metrics, 'trunkline.balancer.call.waiting'), { '': 103 });
});
