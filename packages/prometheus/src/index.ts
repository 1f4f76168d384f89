// Exports metrics to Prometheus.

export { type ExportOptions, exportMetrics } from './export-metrics.ts';
