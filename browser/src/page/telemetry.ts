// A page whose calls are measured and traced.

import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { createMetrics } from '@trunkline/telemetry';
import { createMetricProducer, createTracing } from '@trunkline/telemetry/opentelemetry';
import { bytes, createTransport, defineProtocol, serve } from '@trunkline/transport-core';
import { inmem } from '@trunkline/transport-inmem';

const protocol = defineProtocol({
  name: 'echo',
  version: 1,
  channel: 0x20,
  methods: { echo: { id: 1, request: bytes, response: bytes } },
});

Object.assign(globalThis, {
  /** Makes a call, and returns the number of traces, its spans, and the names of its metrics. */
  async measureAndTrace() {
    const exporter = new InMemorySpanExporter();
    const spanProcessors = [new SimpleSpanProcessor(exporter)];
    const tracerProvider = new BasicTracerProvider({ spanProcessors });
    const { interceptors } = createTracing({ tracerProvider, trustRemote: true });
    const metrics = createMetrics();
    const options = { protocol, backends: [inmem()], observer: metrics.observer, interceptors };
    const server = createTransport('inmem://server', options);
    serve(server, { echo: (request) => request });
    await server.listen();
    const client = createTransport(options);
    metrics.watch({ transport: client });
    await client.send('inmem://server', 'echo', new Uint8Array(1));
    const { resourceMetrics } = await createMetricProducer(metrics).collect();
    await client.close();
    await server.close();
    const spans = exporter.getFinishedSpans();
    return {
      traces: new Set(spans.map((span) => span.spanContext().traceId)).size,
      spans: spans.map(({ name }) => name),
      metrics: resourceMetrics.scopeMetrics[0]!.metrics.map(({ descriptor }) => descriptor.name),
    };
  },
});
