import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { createMetrics, type Metrics } from '@trunkline/telemetry';
import { createMetricProducer } from '@trunkline/telemetry/opentelemetry';

/** @param url of a collector: 'http://localhost:4318/v1/metrics'. */
export function exportTo(url: string): { metrics: Metrics; provider: MeterProvider } {
  const metrics = createMetrics();
  const reader = new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter({ url }),
    metricProducers: [createMetricProducer(metrics)],
  });
  return { metrics, provider: new MeterProvider({ readers: [reader] }) };
}
