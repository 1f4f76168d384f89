// Trunkline with what observes its calls, at both ends: interceptors that pass every call on,
// metrics, and spans of one call in a hundred or of every call.

import {
  BasicTracerProvider,
  BatchSpanProcessor,
  type SpanExporter,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import { createMetrics } from '@trunkline/telemetry';
import { createTracing } from '@trunkline/telemetry/opentelemetry';
import type { Interceptors } from '@trunkline/transport-core';
import type { Adapters } from './adapter.ts';
import { OPEN, trunkline } from './trunkline.ts';
import { type Opening, overLinks } from './trunkline-inmem.ts';

/** @param part the fraction of the calls whose spans are recorded. */
function withSpans(part: number): Opening {
  return (open) => {
    const tracerProvider = new BasicTracerProvider({
      sampler: new TraceIdRatioBasedSampler(part),
      spanProcessors: [new BatchSpanProcessor(DISCARD)],
    });
    const { interceptors } = createTracing({ tracerProvider });
    return open({ interceptors });
  };
}

const PASS: Interceptors = {
  client: [(next) => (call) => next(call), (next) => (call) => next(call)],
  server: [(next) => (call) => next(call), (next) => (call) => next(call)],
};

/** Spans are made, recorded and batched; only what sends them to a collector is left out. */
const DISCARD: SpanExporter = {
  export: (_, done) => done({ code: 0 }),
  shutdown: async () => {},
};

const OBSERVED: Readonly<Record<string, Opening>> = {
  interceptors: (open) => open({ interceptors: PASS }),
  async metrics(open) {
    const metrics = createMetrics();
    const transport = await open({ observer: metrics.observer });
    metrics.watch({ transport });
    return transport;
  },
  'spans-1': withSpans(0.01),
  'spans-100': withSpans(1),
};

/** Over TCP with the two ends in a process each, and in memory with both ends in one process. */
export const adapters: Adapters = Object.fromEntries(
  Object.entries(OBSERVED).flatMap(([name, observed]) => [
    [
      `trunkline-tcp-${name}`,
      trunkline((role, more) => observed((options) => OPEN.tcp(role, { ...more, ...options }))),
    ],
    [`trunkline-inmem-${name}`, overLinks(observed)],
  ]),
);
