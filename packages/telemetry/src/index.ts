// Metrics of a node, collected for exporters.

export type { Metric, MetricAttributes, MetricBuckets, MetricPoint } from './collection.ts';
export type { MetricDefinition } from './definitions.ts';
export { formatSnapshot } from './format-snapshot.ts';
export { createMetrics, type Metrics, type MetricsOptions } from './metrics.ts';
export type { MetricSources } from './source-types.ts';
