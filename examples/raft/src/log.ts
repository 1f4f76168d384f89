// The log of one node, without the entries that a snapshot has replaced. Indices begin at 1.

import type { Entry, Position } from './messages.ts';

/**
 * Keeps entries `base.index + 1` to `last.index` in memory, and the index from which on they are
 * not saved yet.
 */
export class Log {
  #base: Position;
  #entries: Entry[];
  #unsaved: number;

  /** @param base the last entry that is no longer kept; `{ index: 0, term: 0 }` in a new log. */
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

  /** Returns the term of an entry or of `base`, or undefined if the index is not kept. */
  termAt(index: number): number | undefined {
    return index === this.#base.index ? this.#base.term : this.at(index)?.term;
  }

  at(index: number): Entry | undefined {
    return this.#entries[index - this.#base.index - 1];
  }

  /** Returns entries from `index` on, as many as fit one message; at least one, if there is one. */
  batch(index: number): Entry[] {
    const start = index - this.#base.index - 1;
    let end = start;
    for (let size = 0; end < this.#entries.length && end - start < BATCH_ENTRIES; end++) {
      size += this.#entries[end]!.command.length;
      if (size > BATCH_BYTES && end > start) break;
    }
    return this.#entries.slice(start, end);
  }

  /** Returns the first index of the run of equal terms that contains `index`. */
  startOfTerm(index: number): number {
    const term = this.termAt(index);
    let first = index;
    while (first - 1 > this.#base.index && this.termAt(first - 1) === term) first--;
    return first;
  }

  /** Returns the last index of a term, or undefined if no kept entry has it. */
  endOfTerm(term: number): number | undefined {
    let index = this.last.index;
    while (index > this.#base.index && this.termAt(index)! > term) index--;
    return index > this.#base.index && this.termAt(index) === term ? index : undefined;
  }

  append(entry: Entry): void {
    this.#entries.push(entry);
  }

  /**
   * Takes a leader's entries, the first of which has index `index`. Returns false, and takes
   * nothing, if they contradict an entry up to `commit`. The log is truncated only at a
   * contradiction, because a late request must not remove entries that a later request brought.
   */
  merge(index: number, entries: readonly Entry[], commit: number): boolean {
    let agreed = 0;
    while (
      agreed < entries.length &&
      (index + agreed <= this.#base.index || this.termAt(index + agreed) === entries[agreed]!.term)
    )
      agreed++;
    if (agreed === entries.length) return true;
    const first = index + agreed;
    if (first <= commit) return false;
    this.#entries.length = first - this.#base.index - 1;
    this.#unsaved = Math.min(this.#unsaved, first);
    for (const entry of entries.slice(agreed)) this.#entries.push(entry);
    return true;
  }

  /** Drops all entries up to and including `index`, which a snapshot contains. */
  compact(index: number): void {
    const term = this.termAt(index);
    if (index <= this.#base.index || term === undefined) return;
    this.#entries.splice(0, index - this.#base.index);
    this.#base = { index, term };
  }

  /** Drops everything; the log continues after `base`. */
  reset(base: Position): void {
    this.#base = base;
    this.#entries = [];
    this.#unsaved = base.index + 1;
  }

  /**
   * Returns the entries appended since the last call, with the index of the first; all saved
   * entries from that index on are void.
   */
  takeUnsaved(): { first: number; entries: Entry[] } {
    const first = Math.max(this.#unsaved, this.#base.index + 1);
    this.#unsaved = this.last.index + 1;
    return { first, entries: this.#entries.slice(first - this.#base.index - 1) };
  }
}

/**
 * Limits of a batch, so that it fits one packet of 64 KiB unless a single command does not. One
 * packet keeps its order and delays nothing else.
 */
const BATCH_ENTRIES = 512;
const BATCH_BYTES = 48 * 1024;
