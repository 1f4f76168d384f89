// A list whose entries can leave from anywhere in constant time: queues whose waiters may be cancelled are made of it.

/** What can stand in one List at a time. (A class to extend would be one more constructor for each call.) */
export interface Entry {
  list: List<Entry> | undefined;
  before: Entry | undefined;
  after: Entry | undefined;
}

/** First in, first out; `remove` from anywhere. */
export class List<T extends Entry> {
  first: T | undefined = undefined;
  last: T | undefined = undefined;
  length = 0;

  push(entry: T): void {
    entry.list = this as unknown as List<Entry>;
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

  /** Takes an entry of this list out; one that stands elsewhere is left alone. */
  remove(entry: T): boolean {
    if (entry.list !== (this as unknown as List<Entry>)) return false;
    if (entry.before === undefined) this.first = entry.after as T | undefined;
    else entry.before.after = entry.after;
    if (entry.after === undefined) this.last = entry.before as T | undefined;
    else entry.after.before = entry.before;
    entry.list = entry.before = entry.after = undefined;
    this.length--;
    return true;
  }

  /** The head goes to the end: round robin. */
  rotate(): void {
    const first = this.first;
    if (first !== undefined && first !== this.last) {
      this.remove(first);
      this.push(first);
    }
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let entry = this.first; entry !== undefined; ) {
      const next = entry.after as T | undefined;
      yield entry;
      entry = next;
    }
  }
}
