// Searches for an order of one key's operations that explains all their results.
//
// The algorithm is the search of Wing and Gong (Testing and Verifying Concurrent Objects, JPDC 17,
// 1993, section 4) with the memory of configurations and the just-in-time linearization of Lowe
// (Testing for Linearizability, CCPE 29(4), 2017, section 4). It handles operations in order of
// return, and takes others early only if one of them needs it. A register allows these
// optimizations:
//
// - A read that fits the current value is taken at once, because it changes nothing.
// - A blind write (one that does not look at the old value) is taken if the next operation looks at
//   its value, or if it is due. Until it is due, any other blind write may directly follow it and
//   hide it. So as soon as one blind write is taken, all pending ones are excused: they may still
//   be taken, but need not be. Writes of unknown outcome are excused from the start.
// - Interchangeable writes of unknown outcome are taken in order of call. Values that no later
//   operation names are treated as equal (see the timeline).
// - A write is not taken if a completed operation still needs the value that it overwrites and
//   nothing can write that value again.
// - A configuration is dropped if a known configuration allows at least as many continuations, that
//   is, if the known one has the same position and value, has no more operations left to do, and
//   has used up no more writes (see `covers`). This compares the sets themselves, so no hash
//   collision can cause an error.
//
// No order is missed, for this reason. Take a shortest order that completes a configuration. If it
// begins with an operation that looks, the search tries that one. If it begins with blind writes
// and some operation looks at the last of them, the search tries that write, which excuses the
// others. If one of the blind writes is due, the search tries that one in the same way. If none is
// due and nothing looks, all of them were excused before, so the order was not the shortest.
//
// No wrong order is found, because an excused write was pending when another blind write was taken,
// and can be placed directly before it.

import { accepts, type Effect, type Held, isBlind, observes } from './effect.ts';
import { type Stage, type TimelineStep, timelineOf } from './timeline.ts';

/** The result of a search. */
export interface Found {
  /** True if such an order exists; `undefined` if the limit was reached first. */
  readonly order: boolean | undefined;
  /** Number of different configurations visited. */
  readonly configurations: number;
  /**
   * The work that counts against the limit: configurations, plus one for every hundred comparisons.
   */
  readonly work: number;
  /**
   * Position in the history up to which some order explains all operations, because the one that
   * returns there fits into no order that was found; 0 if there is an order.
   */
  readonly stuck: number;
}

/**
 * Searches for an order. `effects` belong to one key and are sorted by call. After `patience`
 * visits without progress, the search alternates between the deepest and the shallowest
 * configuration.
 */
export function findOrder(effects: readonly Effect[], limit: number, patience = PATIENCE): Found {
  const stages = timelineOf(effects);
  const frontier = new Frontier();
  const first: Configuration = {
    at: 0,
    value: undefined,
    must: stages[0]?.entering ?? 0n,
    used: 0n,
    owed: false,
    spent: 0,
    done: false,
  };
  settle(stages, first);
  frontier.add(first);
  let configurations = 0;
  let furthest = 0;
  let advanced = 0;
  const found = (order: boolean | undefined, stuck = 0) => ({
    order,
    configurations,
    work: workOf(configurations, frontier),
    stuck,
  });
  for (;;) {
    const deep = configurations - advanced < patience || configurations % 2 === 0;
    const next = (deep ? frontier.deepest() : undefined) ?? frontier.shallowest();
    if (next === undefined) return found(false, stages[furthest]!.due.returned);
    if (next.at === stages.length) return found(true);
    if (workOf(configurations, frontier) >= limit)
      return found(undefined, stages[furthest]!.due.returned);
    configurations++;
    if (next.at > furthest) [furthest, advanced] = [next.at, configurations];
    for (const after of successors(stages, next)) frontier.add(after);
  }
}

function workOf(configurations: number, { comparisons }: Frontier): number {
  return configurations + Math.floor(comparisons / COMPARISONS);
}

/** A state of the search: all operations that returned before stage `at` are done. */
interface Configuration {
  /** Index in the timeline of the operation that is due. */
  at: number;
  value: Held;
  /** The operations called before the due one returns that still must be taken. */
  must: bigint;
  /** The writes in play that were taken. A write that is in neither set may still be taken. */
  used: bigint;
  /** True if the next operation must look at the value, because it was written only for that. */
  owed: boolean;
  /**
   * Number of writes of unknown outcome taken so far. Configurations that took fewer are tried
   * first.
   */
  spent: number;
  /**
   * True if no visit is needed any more, because the configuration was visited or a later one
   * covers it.
   */
  done: boolean;
}

function successors(stages: readonly Stage[], from: Configuration): Configuration[] {
  const { due, blind, inPlay: all } = stages[from.at]!;
  const inPlay = all.filter((step) => mayTake(step, from));
  const successors: Configuration[] = [];
  for (const step of inPlay) {
    if (!step.writes || (isBlind(step) && from.owed) || !accepts(step, from.value)) continue;
    const owed = !((isBlind(step) ? step === due : step.certain) && (from.must & step.bit) !== 0n);
    if (
      owed &&
      step !== due &&
      !inPlay.some((other) => other !== step && observes(other, step.value))
    )
      continue;
    if (step.value !== from.value && isLost(from.value, step, from, stages[from.at]!)) continue;
    const must = from.must & ~(isBlind(step) ? blind | step.bit : step.bit);
    const after = {
      at: from.at,
      value: step.value,
      must,
      used: from.used | step.bit,
      owed,
      spent: from.spent + (step.certain ? 0 : 1),
      done: false,
    };
    settle(stages, after);
    successors.push(after);
  }
  if (
    (from.must & due.bit) === 0n &&
    (from.value === due.value || !isLost(due.value, due, from, stages[from.at]!))
  ) {
    const after = { ...from, done: false };
    pass(stages, after);
    settle(stages, after);
    successors.push(after);
  }
  return successors;
}

/**
 * Returns true if a completed operation needs a value that nothing can write any more once `but`
 * has overwritten it or has been passed.
 */
function isLost(
  value: Held,
  but: TimelineStep,
  { must, used }: Configuration,
  { inPlay, wanted, coming }: Stage,
): boolean {
  if (
    coming(value) ||
    inPlay.some(
      (step) => step.writes && step.value === value && (used & step.bit) === 0n && step !== but,
    )
  )
    return false;
  return (
    wanted(value) ||
    inPlay.some(
      (step) =>
        step.needs === 'is' && step.needed === value && (must & step.bit) !== 0n && step !== but,
    )
  );
}

function mayTake(step: TimelineStep, from: Configuration): boolean {
  if (!step.writes) return (from.must & step.bit) !== 0n;
  return (from.used & step.bit) === 0n && (from.used & step.twin) === step.twin;
}

/**
 * Takes the reads that fit the value, and advances to the first due operation that leaves a choice.
 */
function settle(stages: readonly Stage[], to: Configuration): void {
  while (to.at < stages.length) {
    const { due, inPlay, held } = stages[to.at]!;
    to.value = held(to.value);
    for (const step of inPlay) {
      if (step.writes || (to.must & step.bit) === 0n || !accepts(step, to.value)) continue;
      to.must &= ~step.bit;
      to.owed = false;
    }
    if ((to.must & due.bit) !== 0n || (due.seen && (to.used & due.bit) === 0n)) return;
    pass(stages, to);
  }
}

/** Advances past the operation that is due. */
function pass(stages: readonly Stage[], to: Configuration): void {
  to.used &= ~stages[to.at]!.leaving;
  const next = stages[++to.at];
  if (next === undefined) return;
  to.must |= next.entering;
  for (const group of next.groups) to.used = firstOf(group, to.used);
}

/** Replaces the used members of a group with as many of its first members. */
function firstOf(group: readonly bigint[], used: bigint): bigint {
  let count = 0;
  for (const bit of group) if ((used & bit) !== 0n) count++;
  return group.reduce((used, bit, index) => (index < count ? used | bit : used & ~bit), used);
}

/**
 * The configurations to visit. A configuration that was met before, or is covered by another, is
 * visited only once.
 */
class Frontier {
  comparisons = 0;
  private readonly stages: { buckets: Configuration[][]; met: Map<Held, Configuration[]> }[] = [];
  private readonly latest: Configuration[] = [];
  private at = 0;
  private spent = 0;
  private index = 0;

  add(added: Configuration): void {
    const { met, buckets } = (this.stages[added.at] ??= { buckets: [], met: new Map() });
    const others = met.get(added.value) ?? [];
    this.comparisons += others.length;
    if (others.some((other) => covers(other, added))) return;
    const kept = others.filter((other) => {
      const covered = covers(added, other);
      other.done ||= covered;
      return !covered;
    });
    kept.push(added);
    met.set(added.value, kept);
    (buckets[added.spent] ??= []).push(added);
    this.latest.push(added);
  }

  /** Returns the configuration found last. If an order exists, this soon leads to it. */
  deepest(): Configuration | undefined {
    for (let next = this.latest.pop(); next !== undefined; next = this.latest.pop())
      if (!next.done) return visiting(next);
    return undefined;
  }

  /**
   * Returns the configuration of the earliest stage that has spent least. If no order exists, such
   * configurations cover most of the others.
   */
  shallowest(): Configuration | undefined {
    while (this.at < this.stages.length) {
      const buckets = this.stages[this.at]?.buckets ?? [];
      const bucket = buckets[this.spent] ?? [];
      if (this.index < bucket.length) {
        const next = bucket[this.index++]!;
        if (!next.done) return visiting(next);
      } else {
        this.index = 0;
        if (++this.spent < buckets.length) continue;
        this.spent = 0;
        delete this.stages[this.at++];
      }
    }
    return undefined;
  }
}

function visiting(next: Configuration): Configuration {
  next.done = true;
  return next;
}

/**
 * Returns true if every continuation of `b` is also one of `a`. Both have the same position and
 * value.
 */
function covers(a: Configuration, b: Configuration): boolean {
  return (a.must & ~b.must) === 0n && (a.used & ~b.used) === 0n && (!a.owed || b.owed);
}

/**
 * Number of visits without progress after which the search alternates. Most existing orders are
 * found with less backtracking.
 */
const PATIENCE = 1_000;

/** Number of comparisons that take about as long as one visit. */
const COMPARISONS = 100;
