import { context, SpanKind, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { createTracing } from '@trunkline/telemetry/opentelemetry';
import { createTransport, defineProtocol, json, serve, tcp } from 'trunkline';
import { createAuthority, createIdentity } from 'trunkline/security';
import { z } from 'zod';

const shop = defineProtocol({
  name: 'shop',
  version: 1,
  channel: 0x20,
  methods: {
    order: { id: 1, request: json(z.string()), response: json(z.string()) },
    reserve: { id: 2, request: json(z.string()), response: json(z.string()) },
  },
});

// An application sets these once; here, all three nodes run in one process and export to a list.
const exporter = new InMemorySpanExporter();
const spanProcessors = [new SimpleSpanProcessor(exporter)];
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }));
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

const authority = await createAuthority();

async function startNode() {
  const identity = createIdentity();
  const tls = { key: identity.key, cert: await authority.issue(identity), ca: authority.cert };
  // Only a peer that has proven its identity may continue a trace.
  const tracing = createTracing({ trustRemote: (remote) => remote.nodeId !== undefined });
  const { interceptors } = tracing;
  const backends = [tcp({ tls })];
  return createTransport('tcp://127.0.0.1:0', { protocol: shop, backends, interceptors });
}

const [page, front, stock] = [await startNode(), await startNode(), await startNode()];
serve(stock, {
  order: () => 'not here',
  reserve: (item) => `${item} is reserved`,
});
await stock.listen();
serve(front, {
  order: (item) => front.send(stock.advertiseAddr(), 'reserve', item),
  reserve: () => 'not here',
});
await front.listen();

console.log(await page.send(front.advertiseAddr(), 'order', 'a kettle'));
await Promise.all([page.close(), front.close(), stock.close()]);

const spans = exporter.getFinishedSpans();
function print(parent: string | undefined, depth: number): void {
  for (const span of spans) {
    if (span.parentSpanContext?.spanId !== parent) continue;
    const { kind, name, attributes } = span;
    console.log(`${'  '.repeat(depth)}${SpanKind[kind]} ${name} ${attributes['rpc.status_code']}`);
    print(span.spanContext().spanId, depth + 1);
  }
}
print(undefined, 0);
console.log(`${new Set(spans.map((span) => span.spanContext().traceId)).size} trace`);
