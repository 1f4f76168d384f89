// A linked list whose entries can be removed from any position in constant time: used for queues
// whose waiters may be canceled.

/**
 * An entry of a List; it can be in one list at a time, which alone changes these members. (It is an
 * interface because a base class would add a constructor to each call.)
 */
export interface ListEntry {
  list: List<ListEntry> | undefined;
  before: ListEntry | undefined;
  after: ListEntry | undefined;
}

/** A first-in, first-out list with `remove` from any position. */
export class List<T extends ListEntry> {
  first: T | undefined = undefined;
  last: T | undefined = undefined;
  length = 0;

  /** Adds an entry at the end. It must be in no list; this is not checked. */
  push(entry: T): void {
    entry.list = this as unknown as List<ListEntry>;
    entry.before = this.last;
    entry.after = undefined;
    if (this.last === undefined) this.first = entry;
    else this.last.after = entry;
    this.last = entry;
    this.length++;
  }

  shift(): T | undefined {
    const first = this.first;
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Removes an entry. Returns false, and does nothing, if the entry is not in this list. */
  remove(entry: T): boolean {
    if (!this.#has(entry)) return false;
    if (entry.before === undefined) this.first = entry.after as T | undefined;
    else entry.before.after = entry.after;
    if (entry.after === undefined) this.last = entry.before as T | undefined;
    else entry.after.before = entry.before;
    entry.list = entry.before = entry.after = undefined;
    this.length--;
    return true;
  }

  #has(entry: T): boolean {
    return entry.list === (this as unknown as List<ListEntry>);
  }

  /** Forgets all entries at once, without a change to them: they must not be used any further. */
  clear(): void {
    this.first = this.last = undefined;
    this.length = 0;
  }

  /** Moves the first entry to the end, for round robin. */
  rotate(): void {
    const first = this.first;
    if (first !== undefined && first !== this.last) {
      this.remove(first);
      this.push(first);
    }
  }

  /**
   * Iterates over the entries, and visits each one that stays in the list. Any entry may be removed
   * meanwhile: if the next one is, the iteration continues at the first one, so entries may be
   * visited again. A generator would cost more.
   */
  [Symbol.iterator](): { next(): IteratorResult<T, undefined> } {
    let entry = this.first;
    return {
      next: () => {
        const value = entry === undefined || this.#has(entry) ? entry : this.first;
        if (value === undefined) return { done: true, value };
        entry = value.after as T | undefined;
        return { done: false, value };
      },
    };
  }
}
