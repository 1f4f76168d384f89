// A node's key-value store that reports each applied command, with its log entry and its result, to
// the checks.

import { KeyValueStore } from '../kv.ts';
import { LAWS, type Laws, same } from './laws.ts';
import type { WatchedStorage } from './watched-storage.ts';

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
