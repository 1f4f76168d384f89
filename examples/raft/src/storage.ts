// Raft's persistent state in a Store: the state under one key, the snapshot under another, and each
// entry under its index.

import type { Store } from '@trunkline/transport-core';
import { entry, type Save, type Saved, savedState, snapshot } from './messages.ts';

/** The saved state of one node. Saves must not overlap: await each one before the next. */
export class RaftStorage {
  readonly #store: Store;
  #base = 0;
  #last = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Returns the saved state, or undefined if nothing was saved. */
  async load(): Promise<Saved | undefined> {
    const bytes = await this.#store.get(STATE);
    if (bytes === undefined) return undefined;
    const { term, votedFor, baseIndex, baseTerm, lastIndex } = savedState.decode(bytes);
    this.#base = baseIndex;
    this.#last = lastIndex;
    const entries = [];
    for (let index = baseIndex + 1; index <= lastIndex; index++) {
      const saved = await this.#store.get(entryKey(index));
      if (saved === undefined)
        throw new Error(`the store has lost entry ${index} of a log that ends at ${lastIndex}`);
      entries.push(entry.decode(saved));
    }
    const kept = await this.#store.get(SNAPSHOT);
    return {
      term,
      votedFor,
      base: { index: baseIndex, term: baseTerm },
      entries,
      snapshot: kept && snapshot.decode(kept),
    };
  }

  /** Resolves when everything would survive a crash. */
  async save({ term, votedFor, base, first, last, entries, snapshot: taken }: Save): Promise<void> {
    const writes: Promise<void>[] = [];
    if (taken !== undefined) writes.push(this.#store.set(SNAPSHOT, snapshot.encode(taken)));
    for (const [i, saved] of entries.entries())
      writes.push(this.#store.set(entryKey(first + i), entry.encode(saved)));
    for (let index = this.#base + 1; index <= Math.min(base.index, this.#last); index++)
      writes.push(this.#store.delete(entryKey(index)));
    for (let index = Math.max(last, base.index) + 1; index <= this.#last; index++)
      writes.push(this.#store.delete(entryKey(index)));
    const state = { term, votedFor, baseIndex: base.index, baseTerm: base.term, lastIndex: last };
    writes.push(this.#store.set(STATE, savedState.encode(state)));
    await Promise.all(writes);
    await this.#store.sync();
    this.#base = base.index;
    this.#last = last;
  }
}

const STATE = 'raft/state';
const SNAPSHOT = 'raft/snapshot';
const entryKey = (index: number) => `raft/log/${index}`;
