// Tests of the spans of calls.

import {
  context,
  createTraceState,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  AlwaysOffSampler,
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import {
  bytes,
  createTransport,
  defineProtocol,
  type Remote,
  serve,
  TransportError,
} from '@trunkline/transport-core';
import { inmem } from '@trunkline/transport-inmem';
import ava, { type ExecutionContext } from 'ava';
import { createTracing, type TracingOptions } from '../index.opentelemetry.ts';
import { PeerAttributes } from './span-attributes.ts';
import { startCollector } from './testing/collector.ts';

const test = ava.serial;
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

const protocol = defineProtocol({
  name: 'kv',
  methods: {
    get: { id: 1, request: bytes, response: bytes },
    miss: { id: 2, request: bytes, response: bytes },
    crash: { id: 3, request: bytes, response: bytes },
    watch: { id: 4, request: bytes, download: bytes },
    note: { id: 5, request: bytes },
    hang: { id: 7, request: bytes, response: bytes },
    forward: { id: 6, request: bytes, response: bytes },
  },
});
const EMPTY = new Uint8Array();

interface Options extends TracingOptions {
  readonly isOff?: boolean;
}

/** Nodes whose spans are exported to a list; `a` calls `b`, and `forward` on `b` calls `c`. */
async function fixture(t: ExecutionContext, { isOff = false, ...options }: Options = {}) {
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(exporter)],
    ...(isOff && { sampler: new AlwaysOffSampler() }),
  });
  const backends = [inmem()];
  const seen: Readonly<Record<string, string>>[] = [];
  let hung = () => {};
  const hanging = new Promise<void>((resolve) => (hung = resolve));
  const node = async (name: string) => {
    const { interceptors } = createTracing({ tracerProvider, ...options });
    const transport = createTransport(`inmem://${name}`, { protocol, backends, interceptors });
    serve(transport, {
      get: (key, rpc) => {
        seen.push(rpc.metadata);
        return key;
      },
      miss: () => {
        throw new TransportError('not_found', 'there is no such key');
      },
      crash: () => Promise.reject(new Error('a mistake')),
      watch: async function* (key) {
        yield key;
        yield key;
        while (key.length > 0) yield key;
      },
      note: () => {},
      hang: (_, { signal }) =>
        new Promise((_, reject) => {
          hung();
          signal.addEventListener('abort', () => reject(new Error('what the library says')));
        }),
      forward: async (key) => {
        await Promise.resolve();
        return transport.send('inmem://c', 'get', key);
      },
    });
    await transport.listen();
    t.teardown(() => transport.close());
    return transport;
  };
  const [a] = await Promise.all([node('a'), node('b'), node('c')]);
  const spans = (count: number) => waitForSpans(exporter, count);
  return { a, spans, seen, hanging, tracer: tracerProvider.getTracer('test') };
}

/** The server's span of a call may end after its caller has the answer. */
async function waitForSpans(exporter: InMemorySpanExporter, count: number) {
  while (exporter.getFinishedSpans().length < count)
    await new Promise((resolve) => setTimeout(resolve, 1));
  const of = (kind: SpanKind) => exporter.getFinishedSpans().filter((span) => span.kind === kind);
  return { clients: of(SpanKind.CLIENT), servers: of(SpanKind.SERVER) };
}

const idOf = (span: ReadableSpan) => span.spanContext().spanId;
const traceOf = (span: ReadableSpan) => span.spanContext().traceId;

test('a call has a span at each end, and the server continues a trusted trace', async (t) => {
  const { a, spans } = await fixture(t, { trustRemote: true });
  await a.send('inmem://b', 'get', EMPTY);
  const { clients, servers } = await spans(2);
  const [client, server] = [clients[0]!, servers[0]!];
  t.is(client.name, 'kv/get');
  t.is(server.name, 'kv/get');
  t.is(traceOf(server), traceOf(client));
  t.is(server.parentSpanContext?.spanId, idOf(client));
  t.true(server.parentSpanContext?.isRemote);
  t.like(client.attributes, {
    'rpc.system.name': 'trunkline',
    'rpc.method': 'kv/get',
    'rpc.status_code': 'ok',
    'server.address': 'b',
  });
  t.is(client.attributes['error.type'], undefined);
  t.is(client.status.code, SpanStatusCode.UNSET);
});

test('a trace goes through three nodes', async (t) => {
  const { a, spans, tracer } = await fixture(t, { trustRemote: true });
  await tracer.startActiveSpan('job', async (span) => {
    await a.send('inmem://b', 'forward', EMPTY);
    span.end();
  });
  const { clients, servers } = await spans(5);
  t.is(new Set([...clients, ...servers].map(traceOf)).size, 1);
  const find = (list: readonly ReadableSpan[], name: string) =>
    list.find((span) => span.name === name)!;
  const chain = [
    find(clients, 'kv/forward'),
    find(servers, 'kv/forward'),
    find(clients, 'kv/get'),
    find(servers, 'kv/get'),
  ];
  for (const [i, span] of chain.slice(1).entries())
    t.is(span.parentSpanContext?.spanId, idOf(chain[i]!));
});

test('the tracestate of a caller goes through three nodes, and is not lost on the way', async (t) => {
  const { a, spans, seen } = await fixture(t, { trustRemote: true });
  const caller = {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
    traceState: createTraceState('vendor=1,other=a:b'),
  };
  await context.with(trace.setSpanContext(context.active(), caller), () =>
    a.send('inmem://b', 'forward', EMPTY),
  );
  const { clients, servers } = await spans(4);
  for (const span of [...clients, ...servers]) {
    t.is(traceOf(span), caller.traceId);
    t.is(span.spanContext().traceState?.serialize(), 'vendor=1,other=a:b', span.name);
  }
  t.is(seen[0]!['tracestate'], 'vendor=1,other=a:b', 'the third node receives it');
});

test('the trace of a caller that is not trusted is only linked', async (t) => {
  const { a, spans } = await fixture(t);
  await a.send('inmem://b', 'get', EMPTY);
  const { clients, servers } = await spans(2);
  t.not(traceOf(servers[0]!), traceOf(clients[0]!));
  t.is(servers[0]!.parentSpanContext, undefined);
  t.deepEqual(
    servers[0]!.links.map(({ context: { spanId } }) => spanId),
    [idOf(clients[0]!)],
  );
});

test('each peer can be trusted or not', async (t) => {
  const asked: string[] = [];
  const { a, spans } = await fixture(t, {
    trustRemote: (remote) => {
      asked.push(remote.direction);
      return true;
    },
  });
  await a.send('inmem://b', 'get', EMPTY);
  const { clients, servers } = await spans(2);
  t.deepEqual(asked, ['in']);
  t.is(traceOf(servers[0]!), traceOf(clients[0]!));
});

test('errors have their code and message, at both ends', async (t) => {
  const { a, spans } = await fixture(t);
  await t.throwsAsync(a.send('inmem://b', 'miss', EMPTY), { code: 'not_found' });
  await t.throwsAsync(a.send('inmem://b', 'crash', EMPTY), { code: 'internal' });
  const { clients, servers } = await spans(4);
  for (const list of [clients, servers]) {
    t.deepEqual(
      list.map(({ attributes }) => [attributes['rpc.status_code'], attributes['error.type']]),
      [
        ['not_found', 'not_found'],
        ['internal', 'internal'],
      ],
    );
    t.deepEqual(list[0]!.status, {
      code: SpanStatusCode.ERROR,
      message: 'there is no such key',
    });
  }
});

test('a call that its caller cancels is no error, at both ends', async (t) => {
  const { a, spans, hanging } = await fixture(t);
  const controller = new AbortController();
  const call = a.send('inmem://b', 'hang', EMPTY, { signal: controller.signal });
  await hanging;
  controller.abort();
  await t.throwsAsync(call, { code: 'cancelled' });
  for await (const _ of await a.send('inmem://b', 'watch', new Uint8Array(1))) break;
  const { clients, servers } = await spans(4);
  const outcomes = (list: readonly ReadableSpan[]) =>
    list.map(({ attributes, status }) => [
      attributes['rpc.status_code'],
      attributes['error.type'],
      status.code,
    ]);
  const cancelled = ['cancelled', undefined, SpanStatusCode.UNSET];
  t.deepEqual(outcomes(servers), [cancelled, cancelled]);
  t.deepEqual(outcomes(clients)[0], cancelled);
});

test('the span of a download ends with its items', async (t) => {
  const { a, spans } = await fixture(t);
  let count = 0;
  for await (const item of await a.send('inmem://b', 'watch', EMPTY)) count += 1 + item.length;
  t.is(count, 2);
  const { clients, servers } = await spans(2);
  t.is(clients[0]!.attributes['rpc.status_code'], 'ok');
  t.is(servers[0]!.attributes['rpc.status_code'], 'ok');
});

test('the span of a download that the caller leaves ends', async (t) => {
  const { a, spans } = await fixture(t);
  for await (const _ of await a.send('inmem://b', 'watch', EMPTY)) break;
  const { clients } = await spans(2);
  t.is(clients.length, 1);
});

test('a one-way has a span at each end', async (t) => {
  const { a, spans } = await fixture(t, { trustRemote: true });
  await a.send('inmem://b', 'note', EMPTY);
  const { clients, servers } = await spans(2);
  t.is(servers[0]!.parentSpanContext?.spanId, idOf(clients[0]!));
});

test('addresses and ids of peers are left out if the node asks for it', async (t) => {
  const { a, spans } = await fixture(t, { omitPeerAttributes: true });
  await a.send('inmem://b', 'get', EMPTY);
  const { clients, servers } = await spans(2);
  for (const { attributes } of [...clients, ...servers])
    t.deepEqual(Object.keys(attributes).sort(), [
      'rpc.method',
      'rpc.status_code',
      'rpc.system.name',
    ]);
});

test('spans name the addresses and ids of peers', (t) => {
  const peers = new PeerAttributes();
  const nodeId = 'ab'.repeat(32);
  t.deepEqual(peers.ofTarget('tcp://10.0.0.1:7000'), {
    'server.address': '10.0.0.1',
    'server.port': 7_000,
  });
  t.deepEqual(peers.ofTarget(`${nodeId}@wss://[::1]:7000/rpc`), {
    'server.address': '::1',
    'server.port': 7_000,
    'trunkline.peer.id': nodeId,
  });
  t.deepEqual(peers.ofTarget('ws://example.org/rpc'), { 'server.address': 'example.org' });
  t.deepEqual(peers.ofTarget('relay:a:b'), {});
  const remote = { endpoint: '10.0.0.2:5000', nodeId } as Remote;
  t.deepEqual(peers.ofCaller(remote), {
    'client.address': '10.0.0.2',
    'client.port': 5_000,
    'network.peer.address': '10.0.0.2',
    'network.peer.port': 5_000,
    'trunkline.peer.id': nodeId,
  });
  t.is(peers.ofCaller(remote), peers.ofCaller(remote), 'made once');
});

test('a trace that is not sampled goes on without spans', async (t) => {
  const { a, seen } = await fixture(t, { isOff: true, trustRemote: true });
  await a.send('inmem://b', 'get', EMPTY, { metadata: { tenant: 'x' } });
  t.regex(seen[0]!['traceparent']!, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  t.is(seen[0]!['tenant'], 'x');
});

test('without a provider, calls carry nothing', async (t) => {
  const { a, seen } = await fixture(t, { tracerProvider: trace });
  await a.send('inmem://b', 'get', EMPTY);
  t.deepEqual(seen, [{}]);
});

test('an OTLP collector gets the spans', async (t) => {
  const collector = await startCollector();
  t.teardown(() => collector.close());
  const exporter = new OTLPTraceExporter({ url: `${collector.url}/v1/traces` });
  const tracerProvider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  const { a } = await fixture(t, { tracerProvider });
  await a.send('inmem://b', 'get', EMPTY);
  while (collector.received('/v1/traces').length < 2)
    await new Promise((resolve) => setTimeout(resolve, 1));
  const text = JSON.stringify(collector.received('/v1/traces'));
  t.true(text.includes('"name":"kv/get"'));
  t.true(text.includes('"key":"rpc.method","value":{"stringValue":"kv/get"}'));
  await tracerProvider.shutdown();
});
