// A map that finds its oldest entry quickly. Iterating over a plain Map first skips all entries
// deleted since the map last grew, which may be thousands.

export class OldestFirst<V extends object> {
  readonly #entries = new Map<string, V>();
  /** An iterator that stays behind the deleted entries. */
  #rest = this.#entries.entries();
  /** The last entry of the iterator, which is the oldest if it still exists. */
  #last: readonly [string, V] | undefined;

  get size(): number {
    return this.#entries.size;
  }

  /** The key and value of the oldest entry; undefined if the map is empty. */
  get oldest(): readonly [string, V] | undefined {
    if (this.#entries.size === 0) return undefined;
    while (this.#last === undefined || this.#entries.get(this.#last[0]) !== this.#last[1]) {
      const { value, done } = this.#rest.next();
      // An iterator that has reached the end stays there, so a new one is needed.
      if (done) this.#rest = this.#entries.entries();
      else this.#last = value;
    }
    return this.#last;
  }

  get(key: string): V | undefined {
    return this.#entries.get(key);
  }

  /**
   * Adds an entry as the newest. An existing key moves to the end; its value must be a different
   * object from the one before.
   */
  set(key: string, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
  }

  delete(key: string): boolean {
    return this.#entries.delete(key);
  }

  /** Iterates over all entries, the oldest first. */
  entries(): IterableIterator<[string, V]> {
    return this.#entries.entries();
  }
}
