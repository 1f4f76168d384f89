// A node's store that reports everything that Raft saves and loads to the checks.

import type { Store } from '@trunkline/transport-core';
import { entry, type SavedState, savedState, snapshot } from '../messages.ts';
import { type Known, LAWS, type Laws } from './laws.ts';

/** The promises of a node that have reached its disk, over all its lives. */
export interface Promised {
  term: number;
  votedFor: string;
}

/**
 * The store of one life. It knows Raft's keys: an entry under its index, the snapshot, and the
 * state, which is saved last.
 */
export class WatchedStore implements Store {
  /** The content of the log at the last save, by index. */
  readonly log = new Map<number, Known>();
  base = 0;
  last = 0;
  /** The index of the last entry in the saved snapshot. */
  snapshotIndex = 0;
  readonly #inner: Store;
  readonly #name: string;
  readonly #laws: Laws;
  readonly #promised: Promised;
  #state: SavedState | undefined;
  /** The entries of the current save. */
  #saving: [index: number, bytes: Uint8Array][] = [];
  #snapshotSaving: Uint8Array | undefined;

  constructor(inner: Store, name: string, laws: Laws, promised: Promised) {
    this.#inner = inner;
    this.#name = name;
    this.#laws = laws;
    this.#promised = promised;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const value = await this.#inner.get(key);
    if (value !== undefined) this.#found(key, value);
    return value;
  }

  set(key: string, value: Uint8Array): Promise<void> {
    if (key === STATE) this.#saved(savedState.decode(value));
    else if (key === SNAPSHOT) this.#snapshotSaving = value;
    else this.#saving.push([indexOf(key), value]);
    return this.#inner.set(key, value);
  }

  delete(key: string): Promise<void> {
    return this.#inner.delete(key);
  }

  keys(): Promise<string[]> {
    return this.#inner.keys();
  }

  async sync(): Promise<void> {
    const state = this.#state;
    await this.#inner.sync();
    if (state !== undefined)
      Object.assign(this.#promised, { term: state.term, votedFor: state.votedFor });
  }

  #found(key: string, value: Uint8Array): void {
    if (key === STATE) {
      const state = savedState.decode(value);
      this.#judge(state);
      this.#state = state;
      this.base = state.baseIndex;
      this.last = state.lastIndex;
    } else if (key === SNAPSHOT) this.#snapshot(value);
    else this.#enter(indexOf(key), value);
  }

  #saved(state: SavedState): void {
    this.#judge(state);
    const { baseIndex, lastIndex } = state;
    if (this.#snapshotSaving !== undefined) this.#snapshot(this.#snapshotSaving);
    const first = this.#saving[0]?.[0] ?? lastIndex + 1;
    for (let index = first; index <= this.last; index++) this.log.delete(index);
    for (let index = this.base; index < baseIndex; index++) this.log.delete(index);
    this.#state = state;
    this.base = baseIndex;
    this.last = lastIndex;
    for (const [index, bytes] of this.#saving) this.#enter(index, bytes);
    this.#saving = [];
    this.#snapshotSaving = undefined;
  }

  /**
   * Checks that a term never decreases, and that the vote of a term never changes, whatever happens
   * in between.
   */
  #judge({ term, votedFor }: SavedState): void {
    const before = this.#state ?? this.#promised;
    const what = `${this.#name} saved term ${term} and a vote for ${votedFor || 'nobody'}, after term ${before.term} and a vote for ${before.votedFor || 'nobody'}`;
    if (
      term < before.term ||
      (term === before.term && before.votedFor !== '' && before.votedFor !== votedFor)
    )
      this.#laws.breach(LAWS.vote, what);
  }

  #snapshot(bytes: Uint8Array): void {
    const { index, term, data } = snapshot.decode(bytes);
    this.snapshotIndex = index;
    this.#laws.snapshot(this.#name, index, term, data);
  }

  #enter(index: number, bytes: Uint8Array): void {
    const before = index - 1 === this.base ? this.#state?.baseTerm : this.log.get(index - 1)?.term;
    this.log.set(index, this.#laws.saves(this.#name, index, entry.decode(bytes), before));
  }
}

const indexOf = (key: string) => Number(key.slice(key.lastIndexOf('/') + 1));
const STATE = 'raft/state';
const SNAPSHOT = 'raft/snapshot';
