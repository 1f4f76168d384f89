// What is due after a delay that is the same for all: so it is in order without sorting.

import { OldestFirst } from '../messages/oldest-first.ts';

export class DelayQueue<T> {
  readonly #delay: number;
  /** The earliest first, as time never runs backward. */
  readonly #entries = new OldestFirst<{ readonly value: T; readonly at: number }>();

  constructor(delay: number) {
    this.#delay = delay;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** When the first is due; Infinity: there is none. */
  get due(): number {
    return this.#entries.oldest?.[1].at ?? Number.POSITIVE_INFINITY;
  }

  /** Due a delay from now, even if it was in the queue before. */
  set(key: string, value: T, now: number): void {
    this.#entries.set(key, { value, at: now + this.#delay });
  }

  delete(key: string): boolean {
    return this.#entries.delete(key);
  }

  /** Takes out the first if it is due. */
  take(now: number): T | undefined {
    const { oldest } = this.#entries;
    if (oldest === undefined || oldest[1].at > now) return undefined;
    this.#entries.delete(oldest[0]);
    return oldest[1].value;
  }

  /** Takes out the first, due or not. */
  shift(): T | undefined {
    return this.take(Number.POSITIVE_INFINITY);
  }

  /** Takes out those of which it holds. */
  drop(isOver: (value: T) => boolean): void {
    for (const [key, { value }] of this.#entries.entries()) if (isOver(value)) this.#entries.delete(key);
  }
}
