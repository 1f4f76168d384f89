// The peer's calls by the time at which something is due, so that a wake-up costs nothing for the
// other calls; each Callee owns one heap. It is binary: most times are added in ascending order,
// and then a new entry stays in its place. Tested in deadlines.test.ts.

/**
 * A heap of entries by time, from which any entry can be removed. An entry can be in one heap at a
 * time: `place` is its index there, and -1 while it is in none. It must begin as -1; afterwards,
 * only the heap changes it.
 */
export class Deadlines<T extends { place: number }> {
  readonly #times: number[] = [];
  readonly #entries: T[] = [];

  /** The earliest time; Infinity if there is none. */
  get next(): number {
    return this.#times[0] ?? Number.POSITIVE_INFINITY;
  }

  /** The entry with the earliest time; undefined if there is none. */
  get first(): T | undefined {
    return this.#entries[0];
  }

  /** Adds an entry; one that is in the heap keeps the earlier of its two times. */
  add(entry: T, time: number): void {
    const at = entry.place < 0 ? this.#times.length : entry.place;
    if (entry.place < 0 || time < this.#times[at]!) this.#raise(entry, time, at);
  }

  /** Removes an entry, if it is in the heap. */
  remove(entry: T): void {
    const at = entry.place;
    if (at < 0) return;
    entry.place = -1;
    const time = this.#times.pop()!;
    const last = this.#entries.pop()!;
    if (last === entry) return;
    if (at > 0 && this.#times[(at - 1) >> 1]! > time) this.#raise(last, time, at);
    else this.#lower(last, time, at);
  }

  /** Puts an entry at the free place `at`, or nearer to the first one. */
  #raise(entry: T, time: number, at: number): void {
    const times = this.#times;
    for (let place = at; ; ) {
      const parent = (place - 1) >> 1;
      if (place === 0 || times[parent]! <= time) return this.#put(entry, time, place);
      this.#put(this.#entries[parent]!, times[parent]!, place);
      place = parent;
    }
  }

  /** Puts an entry at the free place `at`, or farther from the first one. */
  #lower(entry: T, time: number, at: number): void {
    const times = this.#times;
    for (let place = at; ; ) {
      let child = place * 2 + 1;
      if (child + 1 < times.length && times[child + 1]! < times[child]!) child++;
      if (child >= times.length || times[child]! >= time) return this.#put(entry, time, place);
      this.#put(this.#entries[child]!, times[child]!, place);
      place = child;
    }
  }

  #put(entry: T, time: number, place: number): void {
    this.#times[place] = time;
    this.#entries[place] = entry;
    entry.place = place;
  }
}
