// The metrics of all workers, for one scrape.

import type { Metric, MetricDefinition } from '@trunkline/telemetry';
import type { ManagedWorker } from './managed-worker.ts';
import type { ClusterMetrics } from './types.ts';

/** Collects the metrics of workers. */
export class WorkerMetrics implements ClusterMetrics {
  readonly definitions: readonly MetricDefinition[];
  readonly #workers: () => readonly ManagedWorker[];

  constructor(definitions: readonly MetricDefinition[], workers: () => readonly ManagedWorker[]) {
    this.definitions = definitions;
    this.#workers = workers;
  }

  async collect(): Promise<readonly Metric[]> {
    const points = new Map<string, Metric['points'][number][]>();
    for (const { name } of this.definitions) points.set(name, []);
    const answers = this.#workers().map(async (worker) => {
      const metrics = (await worker.ask('metrics', ANSWER_TIME)) as readonly Metric[];
      for (const metric of metrics)
        for (const point of metric.points.filter(isPoint))
          points.get(metric.name)?.push({
            ...point,
            // A sum over workers would fall when a worker is replaced, and Prometheus would take
            // that for a restart of all counters.
            attributes: { ...point.attributes, worker: String(worker.slot) },
          });
    });
    await Promise.allSettled(answers);
    return this.definitions.map((definition) => ({
      ...definition,
      points: points.get(definition.name)!,
    }));
  }
}

/**
 * Returns true if an exporter can write a point. Others are left out, because a worker may have
 * been taken over, and must not hide or forge the metrics of others.
 */
function isPoint({ attributes, value, buckets }: MetricPoint): boolean {
  const { bounds, counts, count } = buckets ?? { bounds: [], counts: [], count: 0 };
  return (
    [value, count, ...bounds, ...counts].every((each) => typeof each === 'number') &&
    Object.keys(attributes).every((name) => /^[\w.]+$/.test(name))
  );
}

type MetricPoint = Metric['points'][number];
/** The time limit for a worker's answer, in milliseconds. */
const ANSWER_TIME = 1_000;
