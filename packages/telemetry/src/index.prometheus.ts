// Exports metrics to Prometheus.

export {
  type ExportOptions,
  exportMetrics,
  type MetricsSource,
} from './prometheus/export-metrics.ts';
