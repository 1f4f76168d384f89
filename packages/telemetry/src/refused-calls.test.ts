// Tests that metrics also count the calls that never leave their node, and those that reach no
// handler: the calls of a program are those that were answered and those that failed.

import {
  bytes,
  type Codec,
  createTransport,
  defineProtocol,
  serve,
  type TransportError,
} from '@trunkline/transport-core';
import { inmem } from '@trunkline/transport-inmem';
import test, { type ExecutionContext } from 'ava';
import { createMetrics, type Metrics } from './index.ts';

/** Refuses everything but letters, in both directions. */
const word: Codec<string> = {
  name: 'word',
  encode: (text) => new TextEncoder().encode(letters(text)),
  decode: (encoded) => letters(new TextDecoder().decode(encoded)),
};
function letters(text: unknown): string {
  if (typeof text === 'string' && /^[a-z]+$/.test(text)) return text;
  throw new Error(`${text} is no word`);
}

const methods = {
  ask: { id: 1, request: word, response: word },
  tell: { id: 2, request: word },
  list: { id: 3, request: word, download: word },
  save: { id: 4, request: word, upload: word, response: word },
};
const protocol = defineProtocol({ name: 'shop', methods });
/** The same protocol at a program whose types have not been checked. */
const unchecked = defineProtocol({
  name: 'shop',
  methods: {
    ask: { id: 1, request: bytes, response: bytes },
    tell: { id: 2, request: bytes },
  },
});
const to = 'inmem://server';

/** Returns the counts of a histogram, by method and code. */
function counts(metrics: Metrics, side: 'client' | 'server'): Record<string, number> {
  const { points } = metrics.collect().find(({ name }) => name === `rpc.${side}.call.duration`)!;
  return Object.fromEntries(
    points.map(({ attributes, buckets }) => [
      `${attributes['rpc.method']} ${attributes['rpc.status_code']}`,
      buckets!.count,
    ]),
  );
}

async function fixture(t: ExecutionContext) {
  const backends = [inmem()];
  const metrics = { client: createMetrics(), server: createMetrics() };
  const observer = metrics.server.observer;
  const server = createTransport(to, { protocol, backends, observer });
  const handlers = { ask: (text: string) => text, tell: () => {} };
  t.teardown(() => server.close());
  await server.listen();
  return { backends, metrics, server, handlers };
}

for (const isIntercepted of [false, true]) {
  const how = isIntercepted ? ', with interceptors' : '';
  test(`every call of the program is counted, also one that is never sent${how}`, async (t) => {
    const { backends, metrics, server, handlers } = await fixture(t);
    serve(server, handlers);
    const client = createTransport({
      protocol,
      backends,
      observer: metrics.client.observer,
      interceptors: { client: isIntercepted ? [(next) => (call) => next(call)] : [] },
    });
    const made: Promise<unknown>[] = [
      client.send(to, 'ask', 'tea'),
      client.send(to, 'ask', 7 as never),
      client.send(to, 'tell', 7 as never),
      client.send(to, 'list', 7 as never),
      client.send(to, 'save', 7 as never, { upload: (async function* () {})() }),
      client.send(to, 'ask', 'tea', { signal: AbortSignal.abort() }),
      client.send(to, 'ask', 'tea', { metadata: { note: 'x'.repeat(100_000) } }),
    ];
    await Promise.allSettled(made);
    const { calls, errors } = client.snapshot();
    t.deepEqual(calls.made, made.length);
    t.deepEqual({ ...errors }, { invalid_argument: 5, cancelled: 1 });
    await client.close();
    made.push(client.send(to, 'ask', 'tea'));
    await t.throwsAsync(made.at(-1)!, { code: 'shutdown' });
    await t.throwsAsync(client.send(to, 'sell' as 'tell', 'tea'), { instanceOf: TypeError });
    t.deepEqual(counts(metrics.client, 'client'), {
      'shop/ask ok': 1,
      'shop/ask invalid_argument': 2,
      'shop/ask cancelled': 1,
      'shop/ask shutdown': 1,
      'shop/tell invalid_argument': 1,
      'shop/list invalid_argument': 1,
      'shop/save invalid_argument': 1,
    });
    const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
    t.is(sum(Object.values(counts(metrics.client, 'client'))), made.length);
    const active = metrics.client
      .collect()
      .find(({ name }) => name === 'trunkline.client.call.active')!;
    t.is(sum(active.points.map(({ value }) => value)), 0);
  });
}

test('the record of a call that is never sent has its method, target and error', async (t) => {
  const { backends } = await fixture(t);
  const records: object[] = [];
  const client = createTransport({
    protocol,
    backends,
    observer: {
      callStarted: ({ code }) => void records.push({ code }),
      callEnded: (record) => void records.push(JSON.parse(JSON.stringify(record))),
    },
  });
  t.teardown(() => client.close());
  const error = await t.throwsAsync<TransportError>(
    client.send(to, 'ask', 7 as never, { metadata: { user: 'ada' } }),
  );
  const { duration, startedAt, ...ended } = records[1] as Record<string, unknown>;
  t.deepEqual(records[0], { code: undefined });
  t.deepEqual(ended, {
    side: 'client',
    protocol: 'shop',
    method: 'ask',
    kind: 'unary',
    target: to,
    metadata: { user: 'ada' },
    queued: 0,
    attempts: 0,
    code: 'invalid_argument',
    message: error.message,
    sent: false,
    bytesSent: 0,
    bytesReceived: 0,
    itemsSent: 0,
    itemsReceived: 0,
  });
});

test('requests that the codec or the rule of the server refuses are counted there', async (t) => {
  const { backends, metrics, server, handlers } = await fixture(t);
  const served = serve(server, handlers);
  const client = createTransport({ protocol: unchecked, backends });
  t.teardown(() => client.close());
  const bad = new TextEncoder().encode('7');
  await t.throwsAsync(client.send(to, 'ask', bad), { code: 'invalid_argument' });
  await client.send(to, 'tell', bad);
  const total = (codes: Record<string, number>) => Object.values(codes).length;
  while (total(counts(metrics.server, 'server')) < 2) await client.clock.sleep(1);
  t.deepEqual(counts(metrics.server, 'server'), {
    'shop/ask invalid_argument': 1,
    'shop/tell invalid_argument': 1,
  });
  await served.stop();
  serve(server, handlers, { allow: () => false });
  await client.send(to, 'tell', bad);
  while (total(counts(metrics.server, 'server')) < 3) await client.clock.sleep(1);
  t.is(counts(metrics.server, 'server')['shop/tell permission_denied'], 1);
});
