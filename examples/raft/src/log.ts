// One node's log, without the entries that a snapshot has replaced. Indices begin at 1.

import type { Entry, Position } from './messages.ts';

/** Entries `base.index + 1` to `last.index`, in memory, and from where on they are not saved yet. */
export class Log {
  #base: Position;
  #entries: Entry[];
  #unsaved: number;

  /** `base` is the last entry that is no longer kept; `{ index: 0, term: 0 }` in a new log. */
  constructor(base: Position, entries: Entry[]) {
    this.#base = base;
    this.#entries = [...entries];
    this.#unsaved = this.last.index + 1;
  }

  get base(): Position {
    return this.#base;
  }

  get last(): Position {
    const index = this.#base.index + this.#entries.length;
    return { index, term: this.#entries.at(-1)?.term ?? this.#base.term };
  }

  /** The term of an entry or of `base`; undefined where the index is not kept. */
  termAt(index: number): number | undefined {
    return index === this.#base.index ? this.#base.term : this.at(index)?.term;
  }

  at(index: number): Entry | undefined {
    return this.#entries[index - this.#base.index - 1];
  }

  /** Entries from `index` on, as many as one message takes; at least one, if there is one. */
  batch(index: number): Entry[] {
    const start = index - this.#base.index - 1;
    let end = start;
    for (let size = 0; end < this.#entries.length && end - start < BATCH_ENTRIES; end++) {
      size += this.#entries[end]!.command.length;
      if (size > BATCH_BYTES && end > start) break;
    }
    return this.#entries.slice(start, end);
  }

  /** The first index of the run of equal terms that `index` is in. */
  startOfTerm(index: number): number {
    const term = this.termAt(index);
    let first = index;
    while (first - 1 > this.#base.index && this.termAt(first - 1) === term) first--;
    return first;
  }

  /** The last index of a term; undefined where no kept entry has it. */
  endOfTerm(term: number): number | undefined {
    let index = this.last.index;
    while (index > this.#base.index && this.termAt(index)! > term) index--;
    return index > this.#base.index && this.termAt(index) === term ? index : undefined;
  }

  append(entry: Entry): void {
    this.#entries.push(entry);
  }

  /**
   * Takes a leader's entries, the first of which stands at `index`; false, and nothing taken, where they contradict one up to
   * `commit`. Only a contradiction cuts the log: a request that comes late must not take back what a later one brought.
   */
  merge(index: number, entries: readonly Entry[], commit: number): boolean {
    let agreed = 0;
    while (agreed < entries.length && (index + agreed <= this.#base.index || this.termAt(index + agreed) === entries[agreed]!.term)) agreed++;
    if (agreed === entries.length) return true;
    const first = index + agreed;
    if (first <= commit) return false;
    this.#entries.length = first - this.#base.index - 1;
    this.#unsaved = Math.min(this.#unsaved, first);
    for (const entry of entries.slice(agreed)) this.#entries.push(entry);
    return true;
  }

  /** Drops `index` and all before it: a snapshot has them. */
  compact(index: number): void {
    const term = this.termAt(index);
    if (index <= this.#base.index || term === undefined) return;
    this.#entries.splice(0, index - this.#base.index);
    this.#base = { index, term };
  }

  /** Drops everything; the log goes on behind `base`. */
  reset(base: Position): void {
    this.#base = base;
    this.#entries = [];
    this.#unsaved = base.index + 1;
  }

  /** What was appended since the last call, with the index of the first; all that is saved behind it is void. */
  takeUnsaved(): { first: number; entries: Entry[] } {
    const first = Math.max(this.#unsaved, this.#base.index + 1);
    this.#unsaved = this.last.index + 1;
    return { first, entries: this.#entries.slice(first - this.#base.index - 1) };
  }
}

/** A batch fits one packet of 64 KiB, unless a single command does not: so it keeps its order and holds nothing up. */
const BATCH_ENTRIES = 512;
const BATCH_BYTES = 48 * 1024;
