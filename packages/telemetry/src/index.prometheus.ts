// Exports metrics to Prometheus.

export {
  type ExportMetricsOptions,
  exportMetrics,
  type MetricsSource,
} from './prometheus/export-metrics.ts';
