// Metrics and traces for OpenTelemetry.

export type { TracedMeta, TracedTopic } from './opentelemetry/message-spans.ts';
export { recordCalls } from './opentelemetry/meter.ts';
export {
  type CollectedMetricProducer,
  createMetricProducer,
  type ProducedHistogram,
  type ProducedMetric,
  type ProducedResource,
} from './opentelemetry/producer.ts';
export type { TraceContext } from './opentelemetry/trace-context.ts';
export { type Traced, traced } from './opentelemetry/traced-codec.ts';
export { createTracing, type Tracing, type TracingOptions } from './opentelemetry/tracing.ts';
