// Sums of values with equal labels, from several sources.

import type { Collection, MetricAttributes } from './collection.ts';
import type { MetricDefinition } from './definitions.ts';

/**
 * The values of some metrics, by their labels. All points of a metric must have the same labels in
 * the same order, because only their values tell points apart.
 */
export class Sums {
  readonly #metrics = new Map<
    MetricDefinition,
    Map<string, { readonly attributes: MetricAttributes; value: number }>
  >();

  /** Adds to the value with these labels. */
  add(definition: MetricDefinition, value: number, attributes: MetricAttributes = {}): void {
    const point = this.#pointOf(definition, attributes);
    point.value += value;
  }

  /** Adds the values of all counters. */
  addCounters(from: Sums): void {
    for (const [definition, points] of from.#metrics)
      if (definition.type === 'counter')
        for (const { attributes, value } of points.values())
          this.add(definition, value, attributes);
  }

  collect(into: Collection): void {
    for (const [definition, points] of this.#metrics)
      for (const { attributes, value } of points.values()) into.add(definition, value, attributes);
  }

  #pointOf(definition: MetricDefinition, attributes: MetricAttributes): { value: number } {
    let points = this.#metrics.get(definition);
    if (points === undefined) {
      points = new Map();
      this.#metrics.set(definition, points);
    }
    const key = JSON.stringify(Object.values(attributes));
    let point = points.get(key);
    if (point === undefined) {
      point = { attributes, value: 0 };
      points.set(key, point);
    }
    return point;
  }
}
