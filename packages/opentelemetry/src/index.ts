// Metrics and traces for OpenTelemetry.

export type { TracedMeta, TracedTopic } from './message-spans.ts';
export { recordCalls } from './meter.ts';
export {
  type CollectedMetricProducer,
  createMetricProducer,
  type ProducedHistogram,
  type ProducedMetric,
  type ProducedResource,
} from './producer.ts';
export type { TraceContext } from './trace-context.ts';
export { type Traced, traced } from './traced-codec.ts';
export { createTracing, type Tracing, type TracingOptions } from './tracing.ts';
