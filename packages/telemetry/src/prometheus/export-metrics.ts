// Metrics of a node in a registry of prom-client. The values are collected when Prometheus scrapes.

import { refuseUnknown } from '@trunkline/transport-core/backend';
import { type Metric as PromMetric, type Registry, register } from 'prom-client';
import type { Metric } from '../collection.ts';
import type { MetricDefinition } from '../definitions.ts';
import { labelsOf, promName } from './names.ts';

/** Options of {@link exportMetrics}; all are optional. */
export interface ExportMetricsOptions {
  /** The registry. Default: the global registry of prom-client, `register`. */
  readonly registry?: Registry | undefined;
}

/**
 * Metrics of a node, or of the workers of a cluster. Those of a cluster are collected
 * asynchronously.
 */
export interface MetricsSource {
  /** The metrics that `collect` returns, without points. */
  readonly definitions: readonly MetricDefinition[];
  /** Returns all metrics at this moment. */
  collect(): readonly Metric[] | Promise<readonly Metric[]>;
}

/**
 * Registers the metrics of a node, or of a cluster, with prom-client. Returns a function that
 * removes them again. If `collect` throws or rejects, so does the scrape.
 *
 * @throws Error if the registry has a metric of one of these names already; then none is added.
 * Throws a TypeError for an unknown option.
 */
export function exportMetrics(
  metrics: MetricsSource,
  options: ExportMetricsOptions = {},
): () => void {
  refuseUnknown(options, 'exportMetrics', ['registry']);
  const { registry = register } = options;
  const scrape = new Scrape(metrics);
  const exported = metrics.definitions.map((definition) => new Exported(definition, scrape));
  const registered: string[] = [];
  const remove = () => {
    for (const name of registered.splice(0)) registry.removeSingleMetric(name);
  };
  try {
    for (const metric of exported) {
      registry.registerMetric(metric as unknown as PromMetric);
      registered.push(metric.registeredName);
    }
  } catch (error) {
    remove();
    throw error;
  }
  return remove;
}

/** Collects once for all metrics that a registry reads before the collection has ended. */
class Scrape {
  readonly #metrics: MetricsSource;
  #current: Promise<ReadonlyMap<string, Metric>> | undefined = undefined;

  constructor(metrics: MetricsSource) {
    this.#metrics = metrics;
  }

  async find(name: string): Promise<Metric | undefined> {
    this.#current ??= this.#collect();
    return (await this.#current).get(name);
  }

  async #collect(): Promise<ReadonlyMap<string, Metric>> {
    try {
      // The await makes sure that an error of `collect` is thrown only after `#current` was
      // assigned.
      const collected = await Promise.resolve().then(() => this.#metrics.collect());
      return new Map(collected.map((metric) => [metric.name, metric]));
    } finally {
      this.#current = undefined;
    }
  }
}

/** One metric as a registry of prom-client expects it. */
class Exported {
  /**
   * The name of the metric. When a registry for OpenMetrics is scraped, it removes the suffix
   * `_total` from this field, and adds it again in its text; `registeredName` keeps the name.
   */
  name: string;
  readonly registeredName: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly aggregator: 'sum' | 'average';
  readonly #source: string;
  readonly #scrape: Scrape;

  constructor(definition: MetricDefinition, scrape: Scrape) {
    const { type } = definition;
    this.name = promName(definition);
    this.registeredName = this.name;
    this.help = definition.description;
    this.type = type === 'level' ? 'gauge' : type;
    this.aggregator = type === 'gauge' ? 'average' : 'sum';
    this.#source = definition.name;
    this.#scrape = scrape;
  }

  /** Called by the registry for each scrape. Returns the metric with its values. */
  async get(): Promise<object> {
    const { name, help, type, aggregator } = this;
    const points = (await this.#scrape.find(this.#source))?.points ?? [];
    return {
      name,
      help,
      type,
      aggregator,
      values: points.flatMap((point) => valuesOf(name, point)),
    };
  }

  /** Does nothing: the metrics belong to their node. */
  reset(): void {}
}

/** One line of the text that Prometheus reads. */
interface Value {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly metricName?: string;
}

function valuesOf(name: string, { attributes, value, buckets }: Metric['points'][number]): Value[] {
  const labels = labelsOf(attributes);
  if (buckets === undefined) return [{ value, labels }];
  const metricName = `${name}_bucket`;
  let count = 0;
  const values: Value[] = buckets.bounds.map((bound, i) => {
    count += buckets.counts[i]!;
    return { value: count, labels: { ...labels, le: bound }, metricName };
  });
  return [
    ...values,
    { value: buckets.count, labels: { ...labels, le: '+Inf' }, metricName },
    { value, labels, metricName: `${name}_sum` },
    { value: buckets.count, labels, metricName: `${name}_count` },
  ];
}
