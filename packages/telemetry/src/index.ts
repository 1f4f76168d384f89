// Metrics of a node, collected for exporters.

export type { Attributes, Buckets, Metric, Point } from './collection.ts';
export type { MetricDefinition } from './definitions.ts';
export { formatSnapshot } from './format-snapshot.ts';
export { createMetrics, type Metrics, type MetricsOptions } from './metrics.ts';
export type { GossipState, MetricSources, PeersState, TopicState } from './source-types.ts';
