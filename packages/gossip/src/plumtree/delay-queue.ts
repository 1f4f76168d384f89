// What is due after a delay that is the same for all: so it is in order without sorting.

export class DelayQueue<T> {
  readonly #delay: number;
  /** The earliest first, as time never runs backward. */
  readonly #entries = new Map<string, { readonly value: T; readonly at: number }>();

  constructor(delay: number) {
    this.#delay = delay;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** When the first is due; Infinity: there is none. */
  get due(): number {
    if (this.#entries.size === 0) return Number.POSITIVE_INFINITY;
    for (const { at } of this.#entries.values()) return at;
    return Number.POSITIVE_INFINITY;
  }

  /** Due a delay from now, even if it was in the queue before. */
  set(key: string, value: T, now: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, at: now + this.#delay });
  }

  delete(key: string): boolean {
    return this.#entries.delete(key);
  }

  /** Takes out the first if it is due. */
  take(now: number): T | undefined {
    for (const [key, { value, at }] of this.#entries) {
      if (at > now) return undefined;
      this.#entries.delete(key);
      return value;
    }
    return undefined;
  }

  /** Takes out the first, due or not. */
  shift(): T | undefined {
    return this.take(Number.POSITIVE_INFINITY);
  }

  /** Takes out those of which it holds. */
  drop(isOver: (value: T) => boolean): void {
    for (const [key, { value }] of this.#entries) if (isOver(value)) this.#entries.delete(key);
  }
}
