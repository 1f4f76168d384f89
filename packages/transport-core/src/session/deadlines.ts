// Calls by the time at which something is due for them, so that waking costs nothing for those that are not. A binary heap: most times
// come in ascending order, and then an entry stays where it is put.

/** Entries that are over are left where they are until their time comes, or `sweep` is called. */
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

  /** The entry of the earliest time. */
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

  /** Takes out the entry of the earliest time. */
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

  /** Keeps those that `isLive` accepts. */
  sweep(isLive: (entry: T, time: number) => boolean): void {
    const times = this.#times.splice(0);
    const entries = this.#entries.splice(0);
    for (let i = 0; i < times.length; i++) if (isLive(entries[i]!, times[i]!)) this.add(entries[i]!, times[i]!);
  }
}
