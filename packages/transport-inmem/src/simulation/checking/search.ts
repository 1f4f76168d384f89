// Looks for an order of one key's operations that explains what each of them saw.
//
// It is the search of Wing and Gong (Testing and Verifying Concurrent Objects, JPDC 17, 1993, section 4) with the memory of
// configurations and the just-in-time linearization of Lowe (Testing for Linearizability, CCPE 29(4), 2017, section 4): operations are
// gone through in order of return, and others are taken only where one of them needs it. On a register that can be made fast:
//
// - A read whose value is there is taken at once: it changes nothing.
// - A write that does not look ("blind") is taken where the next operation looks at what it wrote, or where it is due. Until it is due,
//   any other blind write may stand right after it and hide it: once one is taken, all that are pending are excused, that is, they need
//   not be taken any more, but may be. Writes of unknown outcome are excused from the beginning.
// - Writes of unknown outcome that are interchangeable are taken in order of call, and a value that nothing asks for any more counts as
//   any other such value (see the timeline).
// - A write is not taken where a completed operation still needs the value it overwrites, and nothing can write that again.
// - A configuration is left out where one that was met leaves more open: same place, same value, and it has to do, and has used up, no
//   more (see `covers`). That compares the sets themselves: nothing is lost to a collision of hashes.
//
// Why no order is missed: take a shortest order that completes a configuration. If it begins with an operation that looks, that one is
// tried. If it begins with blind writes and something looks at the last of them, that one is tried and excuses the others; so is the one
// among them that is due. If none is, and nothing looks, they were all excused before, and the order is not the shortest.
// Why no wrong order is found: an excused write was pending when another blind write was taken, and stands right before it.

import { accepts, type Effect, type Held, isBlind, observes } from './effect.ts';
import { type Stage, type Step, timelineOf } from './timeline.ts';

export interface Found {
  /** Whether there is such an order; `undefined` where the limit was reached first. */
  readonly order: boolean | undefined;
  /** How many different configurations were visited. */
  readonly configurations: number;
  /** What the limit limits: those, and one more for a hundred comparisons between them. */
  readonly work: number;
  /** When the operation returned that no order got past: a number of the history's order, 0 where there was none. */
  readonly stuck: number;
}

/** `effects` of one key in order of call. After `patience` visits that got no further, not only the deepest is visited next. */
export function findOrder(effects: readonly Effect[], limit: number, patience = PATIENCE): Found {
  const stages = timelineOf(effects);
  const frontier = new Frontier();
  const first: Configuration = { at: 0, value: undefined, must: stages[0]?.entering ?? 0n, used: 0n, owed: false, spent: 0, done: false };
  settle(stages, first);
  frontier.add(first);
  let configurations = 0;
  let furthest = 0;
  let advanced = 0;
  const found = (order: boolean | undefined, stuck = 0) => ({ order, configurations, work: workOf(configurations, frontier), stuck });
  for (;;) {
    const deep = configurations - advanced < patience || configurations % 2 === 0;
    const next = (deep ? frontier.deepest() : undefined) ?? frontier.shallowest();
    if (next === undefined) return found(false, stages[furthest]!.due.returned);
    if (next.at === stages.length) return found(true);
    if (workOf(configurations, frontier) >= limit) return found(undefined);
    configurations++;
    if (next.at > furthest) [furthest, advanced] = [next.at, configurations];
    for (const after of successors(stages, next)) frontier.add(after);
  }
}

function workOf(configurations: number, { comparisons }: Frontier): number {
  return configurations + Math.floor(comparisons / COMPARISONS);
}

/** Where a search stands: all that returned before `at` is done. */
interface Configuration {
  /** Index in the timeline of the operation that is due. */
  at: number;
  value: Held;
  /** What was called before that one returns and has to be taken still. */
  must: bigint;
  /** The writes that were taken, of those in play. A write that is in neither set may be taken. */
  used: bigint;
  /** Whether the next operation has to look at the value, because it was written for that alone. */
  owed: boolean;
  /** How many writes of unknown outcome were taken on the way: what took fewer is tried first. */
  spent: number;
  /** Whether it needs no visit any more: it had one, or one that was found later covers it. */
  done: boolean;
}

function successors(stages: readonly Stage[], from: Configuration): Configuration[] {
  const { due, blind, inPlay: all } = stages[from.at]!;
  const inPlay = all.filter((step) => mayTake(step, from));
  const successors: Configuration[] = [];
  for (const step of inPlay) {
    if (!step.writes || (isBlind(step) && from.owed) || !accepts(step, from.value)) continue;
    const owed = !((isBlind(step) ? step === due : step.certain) && (from.must & step.bit) !== 0n);
    if (owed && step !== due && !inPlay.some((other) => other !== step && observes(other, step.value))) continue;
    if (step.value !== from.value && isLost(from.value, step, from, stages[from.at]!)) continue;
    const must = from.must & ~(isBlind(step) ? blind | step.bit : step.bit);
    const after = { at: from.at, value: step.value, must, used: from.used | step.bit, owed, spent: from.spent + (step.certain ? 0 : 1), done: false };
    settle(stages, after);
    successors.push(after);
  }
  if ((from.must & due.bit) === 0n && (from.value === due.value || !isLost(due.value, due, from, stages[from.at]!))) {
    const after = { ...from, done: false };
    pass(stages, after);
    settle(stages, after);
    successors.push(after);
  }
  return successors;
}

/** Whether a completed operation needs a value that nothing can write any more, once `but` has overwritten it or is left behind. */
function isLost(value: Held, but: Step, { must, used }: Configuration, { inPlay, wanted, coming }: Stage): boolean {
  if (coming(value) || inPlay.some((step) => step.writes && step.value === value && (used & step.bit) === 0n && step !== but)) return false;
  return wanted(value) || inPlay.some((step) => step.needs === 'is' && step.needed === value && (must & step.bit) !== 0n && step !== but);
}

function mayTake(step: Step, from: Configuration): boolean {
  if (!step.writes) return (from.must & step.bit) !== 0n;
  return (from.used & step.bit) === 0n && (from.used & step.twin) === step.twin;
}

/** Takes the reads whose value is there, and goes on to the first operation that is due and leaves a choice. */
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

/** Leaves the operation that is due behind. */
function pass(stages: readonly Stage[], to: Configuration): void {
  to.used &= ~stages[to.at]!.leaving;
  const next = stages[++to.at];
  if (next === undefined) return;
  to.must |= next.entering;
  for (const group of next.groups) to.used = firstOf(group, to.used);
}

/** As many of a group as are used, but the first ones. */
function firstOf(group: readonly bigint[], used: bigint): bigint {
  let count = 0;
  for (const bit of group) if ((used & bit) !== 0n) count++;
  return group.reduce((used, bit, index) => (index < count ? used | bit : used & ~bit), used);
}

/** The configurations to visit. What is met twice, or is covered by another, is visited once. */
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

  /** The one that was found last: where there is an order, that soon leads to one. */
  deepest(): Configuration | undefined {
    for (let next = this.latest.pop(); next !== undefined; next = this.latest.pop()) if (!next.done) return visiting(next);
    return undefined;
  }

  /** By stage, and in each the one that spent least: where there is no order, most others turn out to be covered by those. */
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

/** Whether every way on from `b` is one from `a` too; both are at the same place with the same value. */
function covers(a: Configuration, b: Configuration): boolean {
  return (a.must & ~b.must) === 0n && (a.used & ~b.used) === 0n && (!a.owed || b.owed);
}

/** In visits. Most orders, where there is one, are found without turning back that often. */
const PATIENCE = 1_000;

/** So many comparisons take about as long as one visit. */
const COMPARISONS = 100;
