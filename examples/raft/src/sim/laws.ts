// Raft's guarantees (paper, figure 3), checked as the state changes: each report costs the same,
// however long the history is.

import type { Entry } from '../messages.ts';

/** An entry as it was first seen. All nodes that have the same entry share the same object. */
export interface Known {
  readonly index: number;
  readonly term: number;
  /** The term of the entry before it; undefined until a node has reported it. */
  before: number | undefined;
  readonly command: Uint8Array;
}

export const LAWS = {
  leader: 'at most one leader per term',
  vote: 'one vote per term',
  matching: 'log matching',
  complete: 'committed entries are never lost',
  machine: 'state machine safety',
} as const;

export type Law = (typeof LAWS)[keyof typeof LAWS];

/** An entry that some node has applied, and which is therefore committed. */
interface Committed {
  readonly entry: Known;
  /**
   * The node that applied it first, and the term of that node at the time: the entry was committed
   * in that term or before.
   */
  readonly by: string;
  readonly since: number;
  /** The result of the state machine. */
  result: Uint8Array | undefined;
}

/**
 * Records what all nodes of one simulation have shown so far. Methods report a breach instead of
 * throwing, because Raft would catch the error.
 */
export class Laws {
  /** Receives each violation. */
  readonly broken: (law: Law, what: string) => void;
  readonly #leaders = new Map<number, string>();
  readonly #entries = new Map<number, Known>();
  /** By index; the first element is unused. */
  readonly #committed: (Committed | undefined)[] = [undefined];
  readonly #snapshots = new Map<number, Uint8Array>();

  constructor(broken: (law: Law, what: string) => void) {
    this.broken = broken;
  }

  /** The number of terms that had a leader, and the number of committed entries. */
  get progress(): { readonly terms: number; readonly committed: number } {
    return { terms: this.#leaders.size, committed: this.#committed.length - 1 };
  }

  /**
   * Reports that a node, in one of its lives, leads a term. Its log begins after `base`, and `has`
   * returns its entries.
   */
  leads(
    node: string,
    life: string,
    term: number,
    base: number,
    has: (index: number) => Known | undefined,
  ): void {
    const other = this.#leaders.get(term);
    if (other === life) return;
    if (other !== undefined)
      return this.broken(LAWS.leader, `${life} leads term ${term}, and so does ${other}`);
    this.#leaders.set(term, life);
    for (let index = this.#committed.length - 1; index > base; index--) {
      const { entry, since, by } = this.#committed[index]!;
      if (since < term && has(index) !== entry)
        return this.broken(
          LAWS.complete,
          `${node} leads term ${term} without entry ${index} of term ${entry.term}, which ${by} applied in term ${since}`,
        );
    }
  }

  /**
   * Reports that a node saves an entry that follows one of the term `before`. Entries with equal
   * index and term must have equal commands and equal predecessors.
   */
  saves(node: string, index: number, { term, command }: Entry, before: number | undefined): Known {
    const key = index * TERMS + term;
    const known = this.#entries.get(key);
    if (known === undefined) {
      const entry = { index, term, before, command: command.slice() };
      this.#entries.set(key, entry);
      return entry;
    }
    if (!same(known.command, command))
      this.broken(
        LAWS.matching,
        `${node} saves an entry ${index} of term ${term} that differs from that of other nodes`,
      );
    if (before !== undefined && before !== (known.before ??= before))
      this.broken(
        LAWS.matching,
        `${node} saves entry ${index} of term ${term} after an entry of term ${before}, others after an entry of term ${known.before}`,
      );
    return known;
  }

  /** Reports that a node in `term` applies an entry, or skips it because it is a no-op. */
  applies(node: string, term: number, entry: Known, result: Uint8Array | undefined): void {
    const { index } = entry;
    const committed = this.#committed[index];
    if (committed === undefined) {
      if (index !== this.#committed.length)
        return this.broken(
          LAWS.machine,
          `${node} applies entry ${index}, but no node has applied the entry before it`,
        );
      this.#committed.push({ entry, by: node, since: term, result: result?.slice() });
      return;
    }
    if (committed.entry !== entry) {
      const other = committed.entry;
      return this.broken(
        LAWS.complete,
        `${node} applies entry ${index} of term ${entry.term}, but ${committed.by} applied one of term ${other.term}`,
      );
    }
    if (result === undefined) return;
    if (committed.result === undefined) committed.result = result.slice();
    else if (!same(committed.result, result))
      this.broken(
        LAWS.machine,
        `entry ${index} has different results on ${node} and on ${committed.by}`,
      );
  }

  /** Reports that a node saves a snapshot of everything up to an entry, its own or its leader's. */
  snapshot(node: string, index: number, term: number, data: Uint8Array): void {
    const committed = this.#committed[index];
    if (committed === undefined)
      return this.broken(
        LAWS.machine,
        `${node} has a snapshot up to entry ${index}, which no node has applied`,
      );
    if (committed.entry.term !== term)
      return this.broken(
        LAWS.complete,
        `${node} has a snapshot that ends with an entry ${index} of term ${term}, not ${committed.entry.term}`,
      );
    const other = this.#snapshots.get(index);
    if (other === undefined) this.#snapshots.set(index, data.slice());
    else if (!same(other, data))
      this.broken(
        LAWS.machine,
        `the state up to entry ${index} differs between ${node} and other nodes`,
      );
  }
}

export function same(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** More terms than a run reaches, so that an index and a term combine into one number. */
const TERMS = 2 ** 22;
