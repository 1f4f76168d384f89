// A map that finds its oldest entry quickly. Iterating over a plain Map first skips all entries
// deleted since the map last grew, which may be thousands. The base of Plumtree's cache and queues.

export class OldestFirst<V extends object> extends Map<string, V> {
  /** An iterator that stays behind the deleted entries. */
  #rest = this.entries();
  /** The last entry of the iterator, which is the oldest if it still exists. */
  #last: readonly [string, V] | undefined;

  /** The key and value of the oldest entry; undefined if the map is empty. */
  get oldest(): readonly [string, V] | undefined {
    if (this.size === 0) return undefined;
    while (this.#last === undefined || this.get(this.#last[0]) !== this.#last[1]) {
      const { value, done } = this.#rest.next();
      // An iterator that has reached the end stays there, so a new one is needed.
      if (done) this.#rest = this.entries();
      else this.#last = value;
    }
    return this.#last;
  }

  /**
   * Adds an entry as the newest. An existing key moves to the end; its value must be a different
   * object from the one before.
   */
  override set(key: string, value: V): this {
    this.delete(key);
    return super.set(key, value);
  }
}
