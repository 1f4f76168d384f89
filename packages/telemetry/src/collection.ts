// The metrics of one collection, as exporters read them.

import type { MetricDefinition } from './definitions.ts';
import type { Histogram } from './histogram.ts';

/** The labels of a point; the names are those of OpenTelemetry, for example `rpc.method`. */
export type MetricAttributes = Readonly<Record<string, string>>;

/** A value, or the counts of a histogram, with its labels. */
export interface MetricPoint {
  readonly attributes: MetricAttributes;
  /** The value of a counter, gauge or level; for a histogram, the sum of the recorded values. */
  readonly value: number;
  /** Set for histograms. */
  readonly buckets?: MetricBuckets | undefined;
}

/** The buckets of a histogram. */
export interface MetricBuckets {
  /** The upper bounds of the buckets, inclusive and ascending. */
  readonly bounds: readonly number[];
  /** One count for each bound, and one for the values above the last. */
  readonly counts: readonly number[];
  /** The number of recorded values. */
  readonly count: number;
}

/** One metric with its points at the time of a collection. */
export interface Metric extends MetricDefinition {
  readonly points: readonly MetricPoint[];
}

/**
 * Gathers the points of metrics. A definition that is not among those of the constructor, the same
 * object, makes `add` and `addHistogram` throw.
 */
export class Collection {
  readonly #points = new Map<MetricDefinition, MetricPoint[]>();

  constructor(definitions: readonly MetricDefinition[]) {
    for (const definition of definitions) this.#points.set(definition, []);
  }

  add(definition: MetricDefinition, value: number, attributes: MetricAttributes = {}): void {
    this.#points.get(definition)!.push({ attributes, value });
  }

  addHistogram(definition: MetricDefinition, from: Histogram, attributes: MetricAttributes): void {
    const { bounds, count, sum } = from;
    const buckets = { bounds, counts: [...from.counts], count };
    this.#points.get(definition)!.push({ attributes, value: sum, buckets });
  }

  /** Returns all metrics, in the order of their definitions. */
  metrics(): Metric[] {
    return [...this.#points].map(([definition, points]) => ({ ...definition, points }));
  }
}
