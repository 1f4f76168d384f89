// Counters and histograms with one or two labels. Their memory is not bounded here: the values of
// labels must come from fixed tables, or be limited by the caller as `Recorder.topic` does.

import type { Collection, MetricAttributes } from './collection.ts';
import type { MetricDefinition } from './definitions.ts';
import { Histogram } from './histogram.ts';

/** One value for each combination of two labels; an undefined label is left out. */
class Labeled<T> {
  readonly #keys: readonly [string, string];
  readonly #values = new Map<string | undefined, Map<string | undefined, T>>();
  readonly #create: () => T;

  constructor(keys: readonly [string, string], create: () => T) {
    this.#keys = keys;
    this.#create = create;
  }

  at(first: string | undefined, second: string | undefined): T {
    let values = this.#values.get(first);
    if (values === undefined) {
      values = new Map();
      this.#values.set(first, values);
    }
    let value = values.get(second);
    if (value === undefined) {
      value = this.#create();
      values.set(second, value);
    }
    return value;
  }

  each(visit: (value: T, attributes: MetricAttributes) => void): void {
    for (const [first, values] of this.#values) {
      for (const [second, value] of values) {
        const attributes: Record<string, string> = {};
        if (first !== undefined) attributes[this.#keys[0]] = first;
        if (second !== undefined) attributes[this.#keys[1]] = second;
        visit(value, attributes);
      }
    }
  }
}

/** A counter. The constructor takes the names of its labels; '' stands for a label without use. */
export class LabeledCounter {
  readonly #definition: MetricDefinition;
  readonly #sums: Labeled<Float64Array>;

  constructor(definition: MetricDefinition, first: string, second = '') {
    this.#definition = definition;
    this.#sums = new Labeled([first, second], () => new Float64Array(1));
  }

  add(amount: number, first: string | undefined, second?: string): void {
    this.#sums.at(first, second)[0]! += amount;
  }

  collect(into: Collection): void {
    this.#sums.each((sum, attributes) => into.add(this.#definition, sum[0]!, attributes));
  }
}

/** A histogram, with names of labels as in LabeledCounter. */
export class LabeledHistogram {
  readonly #definition: MetricDefinition;
  readonly #histograms: Labeled<Histogram>;

  constructor(definition: MetricDefinition, bounds: readonly number[], first: string, second = '') {
    this.#definition = definition;
    this.#histograms = new Labeled([first, second], () => new Histogram(bounds));
  }

  record(value: number, first: string | undefined, second?: string): void {
    this.#histograms.at(first, second).record(value);
  }

  collect(into: Collection): void {
    this.#histograms.each((histogram, attributes) =>
      into.addHistogram(this.#definition, histogram, attributes),
    );
  }
}
