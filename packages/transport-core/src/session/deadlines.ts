// Orders calls by the time at which something is due, so that waking costs nothing for calls that
// are not due. This is a binary heap: most times are added in ascending order, and then a new entry
// stays in its place.

/**
 * A heap of entries by time. An entry that is over remains until its time comes or `sweep` is
 * called.
 */
export class Deadlines<T> {
  readonly #times: number[] = [];
  readonly #entries: T[] = [];

  get size(): number {
    return this.#times.length;
  }

  /** The earliest time; Infinity if there is none. */
  get next(): number {
    return this.#times[0] ?? Number.POSITIVE_INFINITY;
  }

  /** The entry with the earliest time. */
  get first(): T | undefined {
    return this.#entries[0];
  }

  add(entry: T, time: number): void {
    const times = this.#times;
    const entries = this.#entries;
    let at = times.length;
    for (; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (times[parent]! <= time) break;
      times[at] = times[parent]!;
      entries[at] = entries[parent]!;
      at = parent;
    }
    times[at] = time;
    entries[at] = entry;
  }

  /** Removes and returns the entry with the earliest time. */
  shift(): T | undefined {
    const times = this.#times;
    const entries = this.#entries;
    const first = entries[0];
    const time = times.pop();
    const entry = entries.pop();
    if (time === undefined || times.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= times.length) break;
      if (child + 1 < times.length && times[child + 1]! < times[child]!) child++;
      if (times[child]! >= time) break;
      times[at] = times[child]!;
      entries[at] = entries[child]!;
      at = child;
    }
    times[at] = time;
    entries[at] = entry!;
    return first;
  }

  /** Keeps only the entries that `isLive` accepts. */
  sweep(isLive: (entry: T, time: number) => boolean): void {
    const times = this.#times.splice(0);
    const entries = this.#entries.splice(0);
    for (let i = 0; i < times.length; i++)
      if (isLive(entries[i]!, times[i]!)) this.add(entries[i]!, times[i]!);
  }
}
