// A node's key-value store that reports each applied command, with its log entry and its result, to
// the checks.

import { KeyValueStore } from '../kv.ts';
import type { StateMachine } from '../state-machine.ts';
import { LAWS, type Laws, same } from './laws.ts';
import type { WatchedStore } from './watched-store.ts';

/**
 * The state machine of one life. Raft saves before it applies, so the watched store knows the entry
 * of each command.
 */
export class WatchedMachine implements StateMachine {
  readonly kv = new KeyValueStore();
  /** Returns the node's status; set once the node exists. */
  status: () => { readonly term: number; readonly applied: number } = () => NOTHING;
  readonly #name: string;
  readonly #laws: Laws;
  readonly #store: WatchedStore;
  /** The index of the last applied entry. */
  #at = 0;

  constructor(name: string, laws: Laws, store: WatchedStore) {
    this.#name = name;
    this.#laws = laws;
    this.#store = store;
  }

  apply(command: Uint8Array): Uint8Array {
    const result = this.kv.apply(command);
    const { term } = this.status();
    this.#passNoOps(Number.POSITIVE_INFINITY);
    const entry = this.#store.log.get(++this.#at);
    if (entry === undefined)
      this.#laws.breach(
        LAWS.machine,
        `${this.#name} applies an entry ${this.#at} that it has not saved`,
      );
    else if (!same(entry.command, command))
      this.#laws.breach(
        LAWS.machine,
        `${this.#name} applies a command that differs from the one it saved as entry ${this.#at}`,
      );
    else this.#laws.applies(this.#name, term, entry, result);
    return result;
  }

  snapshot(): Uint8Array {
    this.#passNoOps(this.status().applied);
    return this.kv.snapshot();
  }

  restore(snapshot: Uint8Array): void {
    this.kv.restore(snapshot);
    this.#at = this.#store.snapshotIndex;
  }

  /**
   * Reports the no-ops between the last command and the next, or `end`. Raft does not apply them,
   * but they are committed as well.
   */
  #passNoOps(end: number): void {
    const { term } = this.status();
    while (this.#at < end) {
      const entry = this.#store.log.get(this.#at + 1);
      if (entry === undefined || entry.command.length > 0) return;
      this.#at++;
      this.#laws.applies(this.#name, term, entry, undefined);
    }
  }
}

/** A status with a term too late to bound when anything was committed. */
const NOTHING = { term: Number.POSITIVE_INFINITY, applied: 0 };
