// A queue of events by time: the earliest first, and in the order of entry among events of the same
// time.

/** Values with the times at which they are due, in a binary heap. */
export class EventQueue<T> {
  readonly #entries: { readonly at: number; readonly order: number; readonly value: T }[] = [];
  #order = 0;

  get next(): number {
    return this.#entries[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  add(at: number, value: T): void {
    const entries = this.#entries;
    const entry = { at, order: this.#order++, value };
    let index = entries.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(entry, entries[parent]!)) break;
      entries[index] = entries[parent]!;
      index = parent;
    }
    entries[index] = entry;
  }

  take(): T | undefined {
    const entries = this.#entries;
    const first = entries[0];
    const last = entries.pop();
    if (first === undefined || last === undefined) return undefined;
    let index = 0;
    while (entries.length > 0) {
      let child = 2 * index + 1;
      if (child >= entries.length) break;
      if (child + 1 < entries.length && isBefore(entries[child + 1]!, entries[child]!)) child++;
      if (!isBefore(entries[child]!, last)) break;
      entries[index] = entries[child]!;
      index = child;
    }
    if (entries.length > 0) entries[index] = last;
    return first.value;
  }
}

function isBefore(a: { at: number; order: number }, b: { at: number; order: number }): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
