// A node's storage and key-value store, which report to the checks everything that Raft saves,
// loads and applies.

import type { Store } from '@trunkline/transport-core';
import { KeyValueStore } from '../kv.ts';
import type { Save, Saved } from '../messages.ts';
import { RaftStorage } from '../storage.ts';
import { type Known, LAWS, type Laws, same } from './laws.ts';

/** The term and the vote of a node that have reached its disk, over all its lives. */
export type Promised = Pick<Saved, 'term' | 'votedFor'>;

/** The storage of one life. */
export class WatchedStorage extends RaftStorage {
  /** The content of the log at the last save, by index. */
  readonly log = new Map<number, Known>();
  base = 0;
  /** The index of the last entry in the saved snapshot. */
  snapshotIndex = 0;
  readonly #name: string;
  readonly #laws: Laws;
  readonly #promises: Map<string, Promised>;
  #state: Promised | undefined;

  constructor(store: Store, name: string, laws: Laws, promises: Map<string, Promised>) {
    super(store);
    this.#name = name;
    this.#laws = laws;
    this.#promises = promises;
  }

  override async load(): Promise<Saved | undefined> {
    const saved = await super.load();
    if (saved !== undefined) this.#notice({ ...saved, first: saved.base.index + 1 });
    return saved;
  }

  override async save(save: Save): Promise<void> {
    this.#notice(save);
    await super.save(save);
    this.#promises.set(this.#name, save);
  }

  /**
   * Checks that a term never decreases, and that the vote of a term never changes, whatever happens
   * in between. Then records the log.
   */
  #notice(save: Omit<Save, 'last'>): void {
    const { term, votedFor, base, first, entries, snapshot } = save;
    const before = this.#state ?? this.#promises.get(this.#name) ?? { term: 0, votedFor: '' };
    if (
      term < before.term ||
      (term === before.term && before.votedFor !== '' && before.votedFor !== votedFor)
    )
      this.#laws.broken(
        LAWS.vote,
        `${this.#name} saved term ${term} and a vote for ${votedFor || 'nobody'}, after term ${before.term} and a vote for ${before.votedFor || 'nobody'}`,
      );
    this.#state = { term, votedFor };
    if (snapshot !== undefined) {
      this.snapshotIndex = snapshot.index;
      this.#laws.snapshot(this.#name, snapshot.index, snapshot.term, snapshot.data);
    }
    this.base = base.index;
    for (const index of this.log.keys())
      if (index <= base.index || index >= first) this.log.delete(index);
    for (const [i, entry] of entries.entries()) {
      const index = first + i;
      const previous = index - 1 === base.index ? base.term : this.log.get(index - 1)?.term;
      this.log.set(index, this.#laws.saves(this.#name, index, entry, previous));
    }
  }
}

/**
 * The state machine of one life. Raft saves before it applies, so the watched storage knows the
 * entry of each command.
 */
export class WatchedMachine extends KeyValueStore {
  /** Returns the node's status; set once the node exists. At first, the term is too late. */
  status = () => ({ term: Number.POSITIVE_INFINITY, applied: 0 });
  readonly #name: string;
  readonly #laws: Laws;
  readonly #storage: WatchedStorage;
  /** The index of the last applied entry. */
  #at = 0;

  constructor(name: string, laws: Laws, storage: WatchedStorage) {
    super();
    this.#name = name;
    this.#laws = laws;
    this.#storage = storage;
  }

  override apply(command: Uint8Array): Uint8Array {
    const result = super.apply(command);
    this.#passNoOps(Number.POSITIVE_INFINITY);
    const entry = this.#storage.log.get(++this.#at);
    if (entry !== undefined && same(entry.command, command))
      this.#laws.applies(this.#name, this.status().term, entry, result);
    else
      this.#laws.broken(
        LAWS.machine,
        `${this.#name} applies another command than it saved as entry ${this.#at}`,
      );
    return result;
  }

  override snapshot(): Uint8Array {
    this.#passNoOps(this.status().applied);
    return super.snapshot();
  }

  override restore(snapshot: Uint8Array): void {
    super.restore(snapshot);
    this.#at = this.#storage.snapshotIndex;
  }

  /**
   * Reports the no-ops between the last command and the next, or `end`. Raft does not apply them,
   * but they are committed as well.
   */
  #passNoOps(end: number): void {
    while (this.#at < end) {
      const entry = this.#storage.log.get(this.#at + 1);
      if (entry === undefined || entry.command.length > 0) return;
      this.#at++;
      this.#laws.applies(this.#name, this.status().term, entry, undefined);
    }
  }
}
