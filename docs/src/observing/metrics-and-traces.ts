import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { createMetrics } from '@trunkline/telemetry';
import { createTracing } from '@trunkline/telemetry/opentelemetry';
import { exportMetrics } from '@trunkline/telemetry/prometheus';
import { Registry } from 'prom-client';
import { createTransport, defineProtocol, json, serve, tcp } from 'trunkline';
import { z } from 'zod';

const greeter = defineProtocol({
  name: 'greeter',
  version: 1,
  channel: 0x20,
  methods: { greet: { id: 1, request: json(z.string()), response: json(z.string()) } },
});

// Metrics: an observer counts, and a registry of prom-client shows the counts to Prometheus.
const metrics = createMetrics();
const registry = new Registry();
exportMetrics(metrics, { registry });

// Traces: interceptors make a span for each call, here and at the other node.
const exporter = new InMemorySpanExporter(); // in production: an OTLPTraceExporter
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const tracing = createTracing({ tracerProvider: provider, trustRemote: true });

const options = {
  protocol: greeter,
  backends: [tcp()],
  observer: metrics.observer,
  interceptors: tracing.interceptors,
};
const server = createTransport('tcp://127.0.0.1:0', options);
metrics.watch({ transport: server });
serve(server, { greet: (name) => `Hello, ${name}!` });
await server.listen();
const client = createTransport(options);
await client.send(server.advertiseAddr(), 'greet', 'Ada');

for (const line of (await registry.metrics()).split('\n')) // the answer to GET /metrics
  if (/^rpc_(client|server)_call_duration_seconds_count/.test(line)) console.log(line);
await client.close();
await server.close();
for (const span of exporter.getFinishedSpans())
  console.log(span.name, span.spanContext().spanId !== '');
