// Exports metrics to Prometheus.

export { type ExportOptions, exportMetrics, type MetricsSource } from './export-metrics.ts';
