// The dependencies between the transactions of a history, and the search for a cycle of them.

import type { TransactionCall } from './transaction.ts';
import type { Versions } from './version-orders.ts';

/**
 * A dependency: the first transaction comes before the second one, because the second one
 * overwrites a value of the first (ww), reads a value that the first wrote (wr), overwrites a value
 * that the first read (rw), or was called after the first had returned (real time).
 */
export interface Dependency {
  readonly from: TransactionCall;
  readonly to: TransactionCall;
  readonly kind: 'ww' | 'wr' | 'rw' | 'real time';
  readonly why: string;
}

/** Returns the dependencies between transactions that took effect. */
export function dependenciesOf(
  calls: readonly TransactionCall[],
  { keys, reads }: Versions,
): Dependency[] {
  const edges: Dependency[] = [];
  const add = (
    from: TransactionCall | undefined,
    to: TransactionCall | undefined,
    kind: Dependency['kind'],
    why: string,
  ) => {
    if (from !== undefined && to !== undefined && from !== to) edges.push({ from, to, kind, why });
  };
  for (const [key, { order, writers }] of keys) {
    for (const [index, value] of order.entries()) {
      const before = order[index - 1];
      if (before !== undefined)
        add(writers.get(before), writers.get(value), 'ww', `${value} follows ${before} in ${key}`);
    }
    // A committed append that no read has seen comes after all appends that were seen.
    const unseen: readonly (readonly [string, TransactionCall])[] = [...writers].filter(
      ([value, { outcome }]) => outcome === 'ok' && !order.includes(value),
    );
    const last = order.at(-1);
    if (last !== undefined)
      for (const [value, writer] of unseen)
        add(writers.get(last), writer, 'ww', `${value} follows ${last} in ${key}`);
    for (const { reader, list } of reads.filter((read) => read.key === key)) {
      const shown = list.at(-1);
      if (shown !== undefined) add(writers.get(shown), reader, 'wr', `it read ${shown} in ${key}`);
      const missed: readonly (readonly [string, TransactionCall | undefined])[] =
        list.length < order.length
          ? [[order[list.length]!, writers.get(order[list.length]!)]]
          : unseen;
      for (const [value, writer] of missed)
        add(reader, writer, 'rw', `it did not see ${value} in ${key}`);
    }
  }
  edges.push(...realTime(calls));
  return edges;
}

/**
 * Returns the dependencies of real time, without those that follow from others. Each transaction
 * depends on those that had returned last when it was called.
 */
function realTime(calls: readonly TransactionCall[]): Dependency[] {
  const events = calls
    .filter(({ outcome }) => outcome !== 'failed')
    .flatMap((call) => [
      { at: call.called, call, isReturn: false },
      ...(call.outcome === 'ok' ? [{ at: call.returned!, call, isReturn: true }] : []),
    ])
    .sort((a, b) => a.at - b.at);
  const edges: Dependency[] = [];
  const before = new Map<TransactionCall, readonly TransactionCall[]>();
  let latest: readonly TransactionCall[] = [];
  for (const { call, isReturn } of events) {
    if (!isReturn) {
      before.set(call, latest);
      for (const from of latest)
        edges.push({ from, to: call, kind: 'real time', why: 'it was called after that returned' });
    } else {
      const implied = before.get(call)!;
      latest = [...latest.filter((other) => !implied.includes(other)), call];
    }
  }
  return edges;
}

/**
 * Returns the shortest cycle of dependencies of these kinds in which exactly one has the kind
 * `once`, or undefined if there is none. Without `once`, every kind may occur more than once.
 */
export function shortestCycle(
  edges: readonly Dependency[],
  kinds: readonly Dependency['kind'][],
  once?: Dependency['kind'],
): readonly Dependency[] | undefined {
  const within = edges.filter(({ kind }) => kinds.includes(kind) || kind === once);
  const group = groupsOf(outOf(within));
  const out = outOf(within.filter(({ kind }) => kind !== once));
  let shortest: readonly Dependency[] | undefined;
  for (const first of within.filter(({ kind }) => once === undefined || kind === once)) {
    // A cycle stays within one strongly connected group.
    if (group.get(first.from) !== group.get(first.to)) continue;
    const rest = path(
      first.to,
      first.from,
      out,
      (shortest?.length ?? Number.POSITIVE_INFINITY) - 1,
    );
    if (rest !== undefined) shortest = [first, ...rest];
  }
  return shortest;
}

/** Returns the dependencies that start at each transaction. */
function outOf(edges: readonly Dependency[]): Map<TransactionCall, Dependency[]> {
  const out = new Map<TransactionCall, Dependency[]>();
  for (const edge of edges) {
    const list = out.get(edge.from);
    if (list === undefined) out.set(edge.from, [edge]);
    else list.push(edge);
  }
  return out;
}

/** Breadth-first search for a path of fewer than `most` dependencies. */
function path(
  from: TransactionCall,
  to: TransactionCall,
  out: ReadonlyMap<TransactionCall, readonly Dependency[]>,
  most: number,
): readonly Dependency[] | undefined {
  const cameBy = new Map<TransactionCall, Dependency | undefined>([[from, undefined]]);
  let edge = [from];
  for (let length = 0; edge.length > 0 && length <= most; length++) {
    if (edge.includes(to)) {
      const steps: Dependency[] = [];
      for (let at = cameBy.get(to); at !== undefined; at = cameBy.get(at.from)) steps.unshift(at);
      return length < most ? steps : undefined;
    }
    const next: TransactionCall[] = [];
    for (const step of edge.flatMap((call) => out.get(call) ?? [])) {
      if (cameBy.has(step.to)) continue;
      cameBy.set(step.to, step);
      next.push(step.to);
    }
    edge = next;
  }
  return undefined;
}

/**
 * Returns the strongly connected group of each transaction, as a number (Tarjan, Depth-First Search
 * and Linear Graph Algorithms, SIAM J. Comput. 1(2), 1972), without recursion.
 */
function groupsOf(
  out: ReadonlyMap<TransactionCall, readonly Dependency[]>,
): Map<TransactionCall, number> {
  const index = new Map<TransactionCall, number>();
  const low = new Map<TransactionCall, number>();
  const group = new Map<TransactionCall, number>();
  const open: TransactionCall[] = [];
  let groups = 0;
  for (const root of out.keys()) {
    if (index.has(root)) continue;
    const work = [{ node: root, next: 0 }];
    while (work.length > 0) {
      const frame = work.at(-1)!;
      const { node } = frame;
      if (frame.next === 0) {
        index.set(node, index.size);
        low.set(node, index.get(node)!);
        open.push(node);
      }
      const to = out.get(node)?.[frame.next++]?.to;
      if (to !== undefined) {
        if (!index.has(to)) work.push({ node: to, next: 0 });
        else if (!group.has(to)) low.set(node, Math.min(low.get(node)!, index.get(to)!));
        continue;
      }
      work.pop();
      const parent = work.at(-1)?.node;
      if (parent !== undefined) low.set(parent, Math.min(low.get(parent)!, low.get(node)!));
      if (low.get(node) !== index.get(node)) continue;
      for (let member = open.pop()!; ; member = open.pop()!) {
        group.set(member, groups);
        if (member === node) break;
      }
      groups++;
    }
  }
  return group;
}
