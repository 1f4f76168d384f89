// Tests of the calls, handlers, dials and handshakes that an observer sees.

import { inspect } from 'node:util';
import {
  bytes,
  type CallRecord,
  type Clock,
  createTransport,
  defineProtocol,
  type Handlers,
  logEvents,
  type Observer,
  systemClock,
  TransportError,
} from '@trunkline/transport-core';
import type { DialRecord, HandshakeRecord } from '@trunkline/transport-core/backend';
import { createManualClock } from '@trunkline/transport-core/testing';
import test, { type ExecutionContext } from 'ava';
import { inmem } from './index.ts';
import { pair } from './testing/pair.ts';

const protocol = defineProtocol({
  name: 'echo',
  methods: {
    echo: { id: 1, request: bytes, response: bytes },
    tell: { id: 2, request: bytes },
    sum: { id: 3, request: bytes, upload: bytes, response: bytes },
    count: { id: 4, request: bytes, download: bytes },
    fail: { id: 5, request: bytes, response: bytes },
    hang: { id: 6, request: bytes, response: bytes },
  },
});

/** Records the calls that an observer sees. */
class Recorder implements Observer {
  readonly started: CallRecord[] = [];
  readonly ended: CallRecord[] = [];
  readonly dials: DialRecord[] = [];
  readonly handshakes: HandshakeRecord[] = [];
  callStarted = (call: CallRecord) => void this.started.push(call);
  callEnded = (call: CallRecord) => void this.ended.push(call);
  handlerStarted = this.callStarted;
  handlerEnded = this.callEnded;
  dialEnded = (dial: DialRecord) => void this.dials.push(dial);
  handshakeEnded = (handshake: HandshakeRecord) => void this.handshakes.push(handshake);
}

async function fixture(t: ExecutionContext) {
  const seen = { client: new Recorder(), server: new Recorder() };
  const handlers: Handlers<typeof protocol> = {
    echo: (request) => request,
    tell: (request) => {
      if (request.length === 0) throw new TransportError('invalid_argument', 'nothing to tell');
    },
    sum: async (_, rpc) => {
      let sum = 0;
      for await (const item of rpc.upload) sum += item.length;
      return new Uint8Array([sum]);
    },
    count: async function* () {
      yield new Uint8Array(1);
      yield new Uint8Array(2);
    },
    fail: () => {
      throw new TransportError('not_found', 'no such thing');
    },
    hang: () => new Promise<never>(() => {}),
  };
  const options = { server: { observer: seen.server }, client: { observer: seen.client } };
  return { ...(await pair(t, protocol, handlers, options)), seen };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

test('a unary call is reported at both ends, at its start and at its end', async (t) => {
  const { client, seen, to } = await fixture(t);
  await client.send(to, 'echo', new Uint8Array(3), { metadata: { tenant: 'a' }, timeout: 5_000 });
  for (const [side, { started, ended }] of Object.entries(seen)) {
    t.is(started.length, 1, side);
    t.is(started[0], ended[0], 'the same object');
    t.like(ended[0], {
      side: side as never,
      protocol: 'echo',
      method: 'echo',
      kind: 'unary',
      code: undefined,
      sent: true,
      attempts: 1,
      bytesSent: 3,
      bytesReceived: 3,
      metadata: { tenant: 'a' },
      remote: { direction: side === 'client' ? 'out' : 'in' },
    });
    t.true(ended[0]!.deadline! > ended[0]!.startedAt);
  }
  t.is(seen.client.ended[0]!.target, to);
});

test('the record of a handler has the error that the caller gets instead of a response that is too large', async (t) => {
  const { seen, backends, to } = await fixture(t);
  const small = createTransport({ protocol, backends, limits: { message: 4_096 } });
  t.teardown(() => small.close());
  const error = await t.throwsAsync<TransportError>(small.send(to, 'echo', new Uint8Array(8_192)));
  t.is(error!.reason, 'too_large');
  const [record] = seen.server.ended;
  t.is(record!.code, 'resource_exhausted');
  t.is(record!.error?.reason, 'too_large');
  t.is(record!.bytesSent, 0);
});

test('the record of a call can be logged', async (t) => {
  const { client, seen, to } = await fixture(t);
  await client.send(to, 'echo', new Uint8Array(3));
  for (const { ended } of Object.values(seen)) {
    const { method, bytesSent, remote } = JSON.parse(JSON.stringify(ended[0]));
    t.deepEqual([method, bytesSent, typeof remote], ['echo', 3, 'string']);
    t.true(inspect(ended[0]).length < 1_000);
  }
});

test('an error is reported with its code, and with whether a handler may have seen the call', async (t) => {
  const { client, seen, to } = await fixture(t);
  await t.throwsAsync(client.send(to, 'fail', new Uint8Array(1)), { code: 'not_found' });
  for (const { ended } of [seen.client, seen.server])
    t.like(ended[0], { code: 'not_found', sent: true });
  await t.throwsAsync(client.send('inmem://nobody', 'echo', new Uint8Array(1)));
  const failed = { code: 'unavailable', reason: 'connection_refused', sent: false } as const;
  t.like(seen.client.ended[1], { ...failed, remote: undefined, attempts: 0 });
});

test('items and their bytes are counted in both directions', async (t) => {
  const { client, seen, to } = await fixture(t);
  async function* upload() {
    yield new Uint8Array(2);
    yield new Uint8Array(3);
  }
  await client.send(to, 'sum', new Uint8Array(1), { upload: upload() });
  const items = await client.send(to, 'count', new Uint8Array(1));
  for await (const _ of items);
  await turn();
  const figures = ({ itemsSent, itemsReceived, bytesSent, bytesReceived }: CallRecord) => [
    itemsSent,
    itemsReceived,
    bytesSent,
    bytesReceived,
  ];
  t.deepEqual(seen.client.ended.map(figures), [
    [2, 0, 6, 1],
    [0, 2, 1, 3],
  ]);
  t.deepEqual(seen.server.ended.map(figures), [
    [0, 2, 1, 6],
    [2, 0, 3, 1],
  ]);
});

test('a one-way ends at the server when its handler has ended, with the error of the handler', async (t) => {
  const { client, seen, to } = await fixture(t);
  await client.send(to, 'tell', new Uint8Array(1));
  await client.send(to, 'tell', new Uint8Array(0));
  while (seen.server.ended.length < 2) await turn();
  const codes = ({ ended }: Recorder) => ended.map(({ code }) => code);
  t.deepEqual(codes(seen.server), [undefined, 'invalid_argument']);
  t.deepEqual(codes(seen.client), [undefined, undefined]);
});

test('a call whose caller leaves ends once, as cancelled', async (t) => {
  const { client, seen, to } = await fixture(t);
  const leave = new AbortController();
  const call = client.send(to, 'hang', new Uint8Array(1), { signal: leave.signal });
  while (seen.server.started.length === 0) await turn();
  leave.abort();
  await t.throwsAsync(call, { code: 'cancelled' });
  while (seen.server.ended.length === 0) await turn();
  t.is(seen.server.ended[0]!.code, 'cancelled');
  t.is(seen.client.ended[0]!.code, 'cancelled');
  t.is(seen.server.ended.length, 1);
});

test('a call that waits for a handler is reported with the time for which it waited', async (t) => {
  const seen = new Recorder();
  const clock = createManualClock();
  let finish = () => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const { client, server, to } = await pair(
    t,
    protocol,
    { echo: (request) => finished.then(() => request) },
    { server: { observer: seen, clock }, serving: { concurrency: 1 } },
  );
  const calls = [1, 2].map(() => client.send(to, 'echo', new Uint8Array(1)));
  while (server.snapshot().waiting === 0) await turn();
  clock.advance(70);
  finish();
  await Promise.all(calls);
  t.deepEqual(
    seen.ended.map(({ queued }) => queued),
    [0, 70],
  );
});

test('a reader of consumer() is observed like a handler', async (t) => {
  const seen = new Recorder();
  const options = { server: { observer: seen } };
  const { client, server, to } = await pair(t, protocol, undefined, options);
  const calls = server.consumer('echo', 'tell');
  const answer = client.send(to, 'echo', new Uint8Array(4));
  const { value: rpc } = await calls.next();
  t.is(seen.started.length, 1);
  t.is(seen.ended.length, 0);
  if (rpc?.method === 'echo') rpc.respond(rpc.request);
  await answer;
  t.is(seen.ended[0]!.bytesSent, 4);
  await client.send(to, 'tell', new Uint8Array(1));
  await calls.next();
  t.is(seen.ended.length, 1, 'the reader still works on the one-way');
  void calls.next();
  t.is(seen.ended.length, 2);
});

test('the time that a handler blocks the process is its own, not that of others in the same turn', async (t) => {
  let time = 0;
  const clock: Clock = Object.create(systemClock, { now: { value: () => time } });
  const observer = new Recorder();
  const busy = defineProtocol({
    name: 'busy',
    methods: { work: { id: 1, request: bytes, response: bytes } },
  });
  const work = (request: Uint8Array) => {
    time += 50;
    return request;
  };
  const options = { server: { observer, clock }, client: { clock } };
  const { client, to } = await pair(t, busy, { work }, options);
  await client.dial(to);
  await Promise.all([1, 2, 3].map(() => client.send(to, 'work', new Uint8Array(1))));
  t.deepEqual(
    observer.ended.map(({ duration }) => duration),
    [50, 50, 50],
  );
});

test('dials and handshakes are reported with their durations and errors', async (t) => {
  const { client, seen, to } = await fixture(t);
  await client.dial(to);
  await t.throwsAsync(client.dial('inmem://nobody'));
  while (seen.server.handshakes.length === 0) await turn();
  const [good, bad] = seen.client.dials;
  t.is(good!.target, to);
  t.is(good!.error, undefined);
  t.is(good!.remote?.direction, 'out');
  t.is(bad!.error?.reason, 'connection_refused');
  t.true(good!.duration >= 0);
  for (const [direction, { handshakes }] of [
    ['out', seen.client],
    ['in', seen.server],
  ] as const) {
    t.is(handshakes.length, 1);
    t.like(handshakes[0], { direction, error: undefined });
  }
});

test('a hook that is no function is a TypeError', (t) => {
  t.throws(
    () => createTransport({ protocol, backends: [inmem()], observer: { callEnded: 1 } as never }),
    { instanceOf: TypeError, message: /observer: must be an object whose hooks/ },
  );
});

test('logEvents writes alarms once, and none at an ordinary shutdown', async (t) => {
  const lines: string[] = [];
  const log = (level: string) => (_: object, text: string) => void lines.push(`${level}: ${text}`);
  const logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  const { client, server, to } = await pair(t, protocol, undefined, {
    server: { observer: logEvents(logger), limits: { inbound: { calls: 1 } } },
  });
  await client.dial(to);
  const calls = [1, 2, 3].map(() => client.send(to, 'echo', new Uint8Array(1)).catch(() => {}));
  await Promise.all(calls);
  // No reader takes the call, so it is dropped when the server closes.
  await client.send(to, 'tell', new Uint8Array(1));
  while (server.snapshot().waiting === 0) await turn();
  await server.close();
  await client.close();
  t.true(server.snapshot().counters.refusedCall! >= 2);
  t.is(server.snapshot().counters.onewayDropped, 1);
  t.deepEqual(
    lines.filter((line) => /^(warn|error)/.test(line)),
    ["warn: the counter 'refusedCall' went up for the first time; see the snapshot for its value"],
  );
  t.true(lines.includes('debug: a connection is up'));
  t.throws(() => logEvents({ info: () => {} } as never), {
    message: /^logEvents: expected a logger/,
  });
});
