// A queue of entries that are all due after the same delay, so that they need no sorting.

import { OldestFirst } from '../messages/oldest-first.ts';

export class DelayQueue<T> {
  readonly #delay: number;
  /**
   * The entries, the earliest first. New entries go to the end, because time never runs backward.
   */
  readonly #entries = new OldestFirst<{ readonly value: T; readonly at: number }>();

  constructor(delay: number) {
    this.#delay = delay;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Time at which the first entry is due; Infinity if there is none. */
  get due(): number {
    return this.#entries.oldest?.[1].at ?? Number.POSITIVE_INFINITY;
  }

  /** Adds an entry that is due after the delay. It replaces an entry with the same key. */
  set(key: string, value: T, now: number): void {
    this.#entries.set(key, { value, at: now + this.#delay });
  }

  delete(key: string): boolean {
    return this.#entries.delete(key);
  }

  /** Removes and returns the first entry if it is due. */
  take(now: number): T | undefined {
    const { oldest } = this.#entries;
    if (oldest === undefined || oldest[1].at > now) return undefined;
    this.#entries.delete(oldest[0]);
    return oldest[1].value;
  }

  /** Removes and returns the first entry, due or not. */
  shift(): T | undefined {
    return this.take(Number.POSITIVE_INFINITY);
  }

  /** Removes the entries for which `isOver` returns true. */
  drop(isOver: (value: T) => boolean): void {
    for (const [key, { value }] of this.#entries.entries())
      if (isOver(value)) this.#entries.delete(key);
  }
}
