// The moments of the last ten minutes, bounded in time and in memory.

import type { NetworkState } from '../network-state.ts';

/** One moment. `values` is the number of values that it does not share with the previous moment. */
export interface Moment {
  readonly at: number;
  readonly network: NetworkState;
  readonly values: number;
}

/** Bounds of a History. */
export interface HistoryBounds {
  /** Milliseconds for which moments are kept. Default ten minutes. */
  readonly span?: number | undefined;
  /** Maximum number of values in all moments together. Default 4,000,000. */
  readonly values?: number | undefined;
}

/**
 * The last moments of a network. Moments share the values that have not changed. If the moments of
 * a large network would take too much memory, every other moment is dropped. Then the history still
 * covers the same span, but its moments are further apart.
 */
export class History {
  readonly #span: number;
  readonly #most: number;
  #moments: Moment[] = [];
  #values = 0;
  /**
   * The minimum time between two kept moments, in milliseconds. A moment that is closer to its
   * predecessor is replaced by the next moment.
   */
  #spacing = 0;

  constructor({ span = 600_000, values = 4_000_000 }: HistoryBounds = {}) {
    this.#span = span;
    this.#most = values;
  }

  /** The moments, the oldest first. */
  get moments(): readonly Moment[] {
    return this.#moments;
  }

  /** Adds a moment, which is later than all others. */
  add(network: NetworkState, values: number): void {
    const { at } = network;
    const last = this.#moments.at(-1);
    const before = this.#moments.at(-2);
    const isTooClose =
      last !== undefined && before !== undefined && last.at - before.at < this.#spacing;
    // The newest moment is always kept; the one before it goes if it is too close to its own
    // predecessor.
    if (isTooClose) this.#values -= this.#moments.pop()!.values;
    this.#moments.push({ at, network, values });
    this.#values += values;
    const old = this.#moments.findIndex((each) => at - each.at <= this.#span);
    for (const each of this.#moments.splice(0, old)) this.#values -= each.values;
    if (this.#values > this.#most && this.#moments.length > 2) this.#thin();
  }

  /**
   * Removes all moments. This is necessary after a restart of the dashboard, because its clock
   * starts again.
   */
  clear(): void {
    this.#moments = [];
    this.#values = 0;
    this.#spacing = 0;
  }

  /** Returns the index of the last moment that is not later than a time; 0 if all are later. */
  indexAt(at: number): number {
    const later = this.#moments.findIndex((each) => each.at > at);
    return Math.max(0, (later === -1 ? this.#moments.length : later) - 1);
  }

  /** Drops every other moment, but not the first and the last. */
  #thin(): void {
    const { length } = this.#moments;
    this.#moments = this.#moments.filter((_, i) => i % 2 === 0 || i === length - 1);
    this.#values = this.#moments.reduce((sum, { values }) => sum + values, 0);
    const [first, last] = [this.#moments[0]!, this.#moments.at(-1)!];
    this.#spacing = (last.at - first.at) / (this.#moments.length - 1);
  }
}
