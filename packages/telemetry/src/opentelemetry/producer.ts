// Collected metrics in the form that a MetricReader of OpenTelemetry's SDK expects.

import type { HrTime, Attributes as OtelAttributes } from '@opentelemetry/api';
import { systemWall } from '@trunkline/transport-core/backend';
import type { Metric, MetricPoint } from '../collection.ts';
import type { MetricDefinition } from '../definitions.ts';
import type { Metrics } from '../metrics.ts';

/**
 * Returns a producer for the option `metricProducers` of a MetricReader. Its temporality is always
 * cumulative. Create the producer together with `metrics`, because it reports its creation as the
 * start of all sums.
 */
export function createMetricProducer(metrics: Metrics): CollectedMetricProducer {
  const startTime = timeOf(systemWall());
  return {
    async collect() {
      const endTime = timeOf(systemWall());
      const all = metrics.collect();
      const { points: nodes } = all.find(({ name }) => name === TARGET)!;
      const version = nodes[0]?.attributes['trunkline.version'];
      const data = all
        .filter(({ name, points }) => points.length > 0 && name !== TARGET)
        .map((metric) => dataOf(metric, startTime, endTime));
      const scope = version === undefined ? SCOPE : { ...SCOPE, version };
      return {
        resourceMetrics: { resource: NO_RESOURCE, scopeMetrics: [{ scope, metrics: data }] },
        errors: [],
      };
    },
  };
}

/** A MetricProducer of `@opentelemetry/sdk-metrics`. */
export interface CollectedMetricProducer {
  collect(): Promise<{
    resourceMetrics: {
      resource: ProducedResource;
      scopeMetrics: { scope: { name: string; version?: string }; metrics: ProducedMetric[] }[];
    };
    errors: unknown[];
  }>;
}

/** An empty resource: a reader uses the resource of its MeterProvider instead. */
export interface ProducedResource {
  readonly attributes: OtelAttributes;
  merge(other: ProducedResource | null): ProducedResource;
  getRawAttributes(): [string, undefined][];
}

/**
 * A MetricData of `@opentelemetry/sdk-metrics`. The numbers are those of its DataPointType: 0 is a
 * histogram, 2 a gauge and 3 a sum.
 */
export type ProducedMetric =
  | (Produced<number> & { readonly dataPointType: 2 })
  | (Produced<number> & { readonly dataPointType: 3; readonly isMonotonic: boolean })
  | (Produced<ProducedHistogram> & { readonly dataPointType: 0 });

/** The value of a histogram. */
export interface ProducedHistogram {
  buckets: { boundaries: number[]; counts: number[] };
  sum?: number;
  count: number;
}

interface Produced<T> {
  readonly descriptor: {
    readonly name: string;
    readonly description: string;
    readonly unit: string;
    /** A double. */
    readonly valueType: 1;
  };
  /** Cumulative. */
  readonly aggregationTemporality: 1;
  readonly dataPoints: {
    readonly startTime: HrTime;
    readonly endTime: HrTime;
    readonly attributes: OtelAttributes;
    readonly value: T;
  }[];
}

/** Only for Prometheus: in OpenTelemetry, the resource of the MeterProvider names the node. */
const TARGET = 'target.info';
const SCOPE = { name: '@trunkline/telemetry/opentelemetry' };

const NO_RESOURCE: ProducedResource = {
  attributes: {},
  merge: (other) => other ?? NO_RESOURCE,
  getRawAttributes: () => [],
};

function dataOf(metric: Metric, startTime: HrTime, endTime: HrTime): ProducedMetric {
  const { points, type } = metric;
  const each = <T>(read: (point: MetricPoint) => T): Produced<T> => ({
    descriptor: descriptorOf(metric),
    aggregationTemporality: 1,
    dataPoints: points.map((point) => ({
      startTime,
      endTime,
      attributes: point.attributes,
      value: read(point),
    })),
  });
  if (type === 'histogram') {
    return {
      ...each(({ value, buckets }) => ({
        buckets: { boundaries: [...buckets!.bounds], counts: [...buckets!.counts] },
        sum: value,
        count: buckets!.count,
      })),
      dataPointType: 0,
    };
  }
  const values = each(({ value }) => value);
  if (type === 'gauge') return { ...values, dataPointType: 2 };
  return { ...values, dataPointType: 3, isMonotonic: type === 'counter' };
}

function descriptorOf({ name, description, unit }: MetricDefinition) {
  return { name, description, unit, valueType: 1 } as const;
}

function timeOf(milliseconds: number): HrTime {
  const seconds = Math.floor(milliseconds / 1_000);
  return [seconds, Math.round((milliseconds - seconds * 1_000) * 1e6)];
}
