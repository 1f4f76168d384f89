// A map whose oldest entry is at hand. A Map's own iteration begins behind all that was deleted since it last grew: thousands of entries, each time.

export class OldestFirst<V extends object> {
  readonly #entries = new Map<string, V>();
  /** Goes on behind what is gone. */
  #rest = this.#entries.entries();
  /** The last that it gave: the oldest, if it is still here. */
  #last: readonly [string, V] | undefined;

  get size(): number {
    return this.#entries.size;
  }

  /** Key and value of what is here for the longest; undefined: nothing is. */
  get oldest(): readonly [string, V] | undefined {
    if (this.#entries.size === 0) return undefined;
    while (this.#last === undefined || this.#entries.get(this.#last[0]) !== this.#last[1]) {
      const { value, done } = this.#rest.next();
      // It was at the end once, and stays there.
      if (done) this.#rest = this.#entries.entries();
      else this.#last = value;
    }
    return this.#last;
  }

  get(key: string): V | undefined {
    return this.#entries.get(key);
  }

  /** It is the newest then, even if it was here before: with another value. */
  set(key: string, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
  }

  delete(key: string): boolean {
    return this.#entries.delete(key);
  }

  /** The oldest first. */
  entries(): IterableIterator<[string, V]> {
    return this.#entries.entries();
  }
}
