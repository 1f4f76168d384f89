// The dependencies between the transactions of a history.

import type { Basis, KeyVersions, Version } from './key-use.ts';
import type { TransactionCall } from './transaction.ts';

/**
 * A dependency: the first transaction comes before the second one, because the second one
 * overwrites a version of the first (ww), reads a version of the first (wr), overwrites a version
 * that the first read (rw), or was called after the first had returned (real time).
 */
export interface Dependency {
  /** The positions of the transactions in the history, or the number of a gate. */
  readonly from: number;
  readonly to: number;
  readonly kind: Kind;
  readonly key?: string | undefined;
  /** The value that was overwritten, read, or not seen. */
  readonly value?: string | undefined;
  /** The value that overwrites `value`, for ww. */
  readonly after?: string | undefined;
}

/** The kinds of dependencies, as bits. */
export const KINDS = {
  ww: 1,
  wr: 2,
  rw: 4,
  realTime: 8,
  /**
   * A ww and an rw that rest on an order of versions which other things show than reads of the key.
   */
  wwFracture: 16,
  rwFracture: 32,
  wwInTime: 64,
  rwInTime: 128,
  /**
   * From a gate to a writer. If many transactions miss many writes, they depend on a gate, on which
   * the writers depend, instead of each on each.
   */
  gate: 256,
} as const;
export type Kind = (typeof KINDS)[keyof typeof KINDS];

/** The dependencies of a history. */
export interface Dependencies {
  readonly edges: readonly Dependency[];
  /** The number of transactions and gates. */
  readonly nodes: number;
}

/** Returns the dependencies between transactions that took effect. */
export function dependenciesOf(
  calls: readonly TransactionCall[],
  keys: readonly KeyVersions[],
  isStrict: boolean,
): Dependencies {
  const edges: Dependency[] = [];
  const dependencies = { edges, nodes: calls.length };
  for (const { key, versions, isList } of keys) {
    for (const { value, writer, readers, next } of versions) {
      if (writer !== undefined) {
        for (const to of readers)
          if (to !== writer) edges.push({ from: writer, to, kind: KINDS.wr, key, value });
        for (const { version, basis } of next) {
          // A transaction that shows the order of two versions of a register read the first one.
          if (!isList && basis === 'reads') continue;
          const kind = OVERWRITES[basis];
          const { writer: to, value: after } = version;
          if (to !== writer) edges.push({ from: writer, to: to!, kind, key, value, after });
        }
      }
      for (const basis of BASES) {
        const missed = next.filter((each) => each.basis === basis).map(({ version }) => version);
        if (missed.length > 0) addMissed(dependencies, key, readers, missed, MISSES[basis]);
      }
    }
  }
  if (isStrict) addRealTime(edges, calls);
  return dependencies;
}

/** Adds the dependencies of readers on the writers of the versions that they did not see. */
function addMissed(
  dependencies: { edges: Dependency[]; nodes: number },
  key: string,
  readers: readonly number[],
  missed: readonly Version[],
  kind: Kind,
): void {
  const { edges } = dependencies;
  const hasGate = readers.length * missed.length > PAIRS;
  const writers = new Set(missed.map(({ writer }) => writer!));
  // A gate would lead a transaction that reads and writes back to itself.
  const waiting = hasGate ? readers.filter((reader) => !writers.has(reader)) : [];
  for (const from of waiting)
    edges.push({ from, to: dependencies.nodes, kind, key, value: missed[0]!.value });
  if (hasGate) {
    const from = dependencies.nodes++;
    for (const { writer, value } of missed)
      edges.push({ from, to: writer!, kind: KINDS.gate, key, value });
  }
  for (const from of hasGate ? readers.filter((reader) => writers.has(reader)) : readers)
    for (const { writer, value } of missed)
      if (writer !== from) edges.push({ from, to: writer!, kind, key, value });
}

/**
 * Adds the dependencies of real time, without those that follow from others. Each transaction
 * depends on those that had returned last when it was called.
 */
function addRealTime(edges: Dependency[], calls: readonly TransactionCall[]): void {
  const events: { at: number; number: number; isReturn: boolean }[] = [];
  for (const [number, { outcome, called, returned }] of calls.entries()) {
    if (outcome === 'failed') continue;
    events.push({ at: called, number, isReturn: false });
    if (outcome === 'ok') events.push({ at: returned!, number, isReturn: true });
  }
  events.sort((a, b) => a.at - b.at);
  const before = new Map<number, readonly number[]>();
  let latest: readonly number[] = [];
  for (const { number, isReturn } of events) {
    if (!isReturn) {
      before.set(number, latest);
      for (const from of latest) edges.push({ from, to: number, kind: KINDS.realTime });
    } else {
      const implied = before.get(number)!;
      before.delete(number);
      latest = [...latest.filter((other) => !implied.includes(other)), number];
    }
  }
}

const BASES: readonly Basis[] = ['reads', 'fracture', 'real time'];
const OVERWRITES: Readonly<Record<Basis, Kind>> = {
  reads: KINDS.ww,
  fracture: KINDS.wwFracture,
  'real time': KINDS.wwInTime,
};
const MISSES: Readonly<Record<Basis, Kind>> = {
  reads: KINDS.rw,
  fracture: KINDS.rwFracture,
  'real time': KINDS.rwInTime,
};
/** The number of pairs of readers and writers from which a gate replaces them. */
const PAIRS = 64;
