// The operations of one key, arranged for the search: which of them must be done at which point,
// and which can be taken next.

import { type Effect, type Held, isBlind, OTHER, observes } from './effect.ts';
import { hiding } from './hiding.ts';

/** An operation with its bit in a configuration's bitsets. */
export interface TimelineStep extends Effect {
  /**
   * A single bit, which belongs to the step while it is in play. Later steps reuse it, so a bitset
   * is only as wide as the concurrency.
   */
  readonly bit: bigint;
  /**
   * The bit of the preceding interchangeable step, which must be taken first; 0 if there is none,
   * and for completed operations.
   */
  readonly twin: bigint;
  /** True if this is a completed blind write whose value some operation may look at. */
  readonly seen: boolean;
}

/**
 * The situation while one completed operation is due, that is, while it is the first in order of
 * return that is not done.
 */
export interface Stage {
  readonly due: TimelineStep;
  /** The steps called before the due one returned that are still in play, in order of call. */
  readonly inPlay: readonly TimelineStep[];
  /** The bits of the completed operations called since the previous one returned. */
  readonly entering: bigint;
  /** The bits of the steps that leave play once the due one has returned. */
  readonly leaving: bigint;
  /** The bits of the completed blind writes in play. */
  readonly blind: bigint;
  /**
   * The bits of all interchangeable steps, in groups, each in order of call; empty if no further
   * steps have become interchangeable.
   */
  readonly groups: readonly (readonly bigint[])[];
  /**
   * Returns the value as far as later operations can distinguish it: OTHER if none of them names
   * it.
   */
  held(value: Held): Held;
  /** Returns whether an operation that is not in play yet certainly finds the value. */
  wanted(value: Held): boolean;
  /** Returns whether an operation that is not in play yet may write the value. */
  coming(value: Held): boolean;
}

/** Returns the stages in order of return. `effects` are in order of call. */
export function timelineOf(effects: readonly Effect[]): Stage[] {
  const order = effects.filter((effect) => effect.certain).sort((a, b) => a.returned - b.returned);
  const lastUse = lastUses(
    effects,
    new Map(order.map(({ operation }, index) => [operation, index])),
  );
  const lastName = new Map<Held, number>();
  for (const { needs, needed, operation } of effects) {
    if (needs !== 'any')
      lastName.set(needed, Math.max(lastName.get(needed) ?? 0, lastUse.get(operation)!));
  }
  const lastWanted = new Map<Held, number>();
  const lastWrite = new Map<Held, number>();
  for (const { certain, needs, needed, writes, value, called } of effects) {
    if (certain && needs === 'is') lastWanted.set(needed, called);
    if (writes) lastWrite.set(value, called);
  }
  const hidden = hiding(effects);
  const bits = new Bits();
  let playing: TimelineStep[] = [];
  let next = 0;
  return order.map(({ operation, returned }, index) => {
    const held = (value: Held) => ((lastName.get(value) ?? -1) < index ? OTHER : value);
    const wanted = (value: Held) => (lastWanted.get(value) ?? 0) > returned;
    const coming = (value: Held) => (lastWrite.get(value) ?? 0) > returned;
    let entering = NONE;
    const entered = playing.length;
    for (; next < effects.length && effects[next]!.called < returned; next++) {
      const entrant = effects[next]!;
      if (lastUse.get(entrant.operation)! < index) continue;
      const seen =
        entrant.certain &&
        isBlind(entrant) &&
        isSeen(entrant, playing, effects, next, hidden(entrant.returned));
      const step = { ...entrant, bit: bits.take(), twin: NONE, seen };
      playing.push(step);
      if (step.certain) entering |= step.bit;
    }
    const regroup = playing.some(
      (step, place) =>
        !step.certain && (place >= entered || lastName.get(step.value) === index - 1),
    );
    const { inPlay, groups } = regroup ? grouped(playing, held) : { inPlay: playing, groups: [] };
    const due = inPlay.find((step) => step.operation === operation)!;
    const leaving = inPlay.filter((step) => lastUse.get(step.operation) === index);
    for (const step of leaving) bits.free(step.bit);
    playing = inPlay.filter((step) => !leaving.includes(step));
    const blind = union(inPlay.filter((step) => step.certain && isBlind(step)));
    return { due, inPlay, entering, leaving: union(leaving), blind, groups, held, wanted, coming };
  });
}

/**
 * Returns, for each operation, the last stage in which it can matter. For a completed operation,
 * that is its own return. A write of unknown outcome matters until all operations have returned
 * whose results may come from it, directly or through a cas of unknown outcome. After that, or if
 * there are no such operations, it can be removed from any order, because the operations that
 * follow don't look at its value but overwrite it.
 */
function lastUses(
  effects: readonly Effect[],
  returns: ReadonlyMap<Effect['operation'], number>,
): Map<Effect['operation'], number> {
  const last = new Map(effects.map(({ operation }) => [operation, returns.get(operation) ?? -1]));
  const uncertain = effects.filter((effect) => !effect.certain);
  const looking = effects.filter((effect) => effect.needs !== 'any');
  for (let changed = true; changed; ) {
    changed = false;
    // The last uses of operations that need a value, and of those that need any other value.
    const uses = new Map<Held, number>();
    const others = new Map<Held, number>();
    for (const { operation, needs, needed } of looking) {
      const of = needs === 'is' ? uses : others;
      of.set(needed, Math.max(of.get(needed) ?? -1, last.get(operation)!));
    }
    const latest = [...others].sort((a, b) => b[1] - a[1]).slice(0, 2);
    for (const { operation, value } of uncertain) {
      const other = latest.find(([needed]) => needed !== value)?.[1] ?? -1;
      const use = Math.max(uses.get(value) ?? -1, other);
      if (use <= last.get(operation)!) continue;
      last.set(operation, use);
      changed = true;
    }
  }
  return last;
}

/**
 * Returns true if some operation may look at the value of the write at `index`: one of `earlier`,
 * or one that was called after the write and before its value is hidden forever.
 */
function isSeen(
  write: Effect,
  earlier: readonly Effect[],
  effects: readonly Effect[],
  index: number,
  hidden: number,
): boolean {
  if (earlier.some((other) => observes(other, write.value))) return true;
  for (let i = index + 1; i < effects.length && effects[i]!.called < hidden; i++)
    if (observes(effects[i]!, write.value)) return true;
  return false;
}

/**
 * Groups the interchangeable steps of unknown outcome: those that need the same value, and leave
 * values that later operations cannot distinguish.
 */
function grouped(
  steps: readonly TimelineStep[],
  held: (value: Held) => Held,
): { inPlay: TimelineStep[]; groups: bigint[][] } {
  const groups = new Map<string, bigint[]>();
  let changed = false;
  const inPlay = steps.map((step) => {
    if (step.certain) return step;
    const value = held(step.value);
    const kind = JSON.stringify([
      step.needs,
      step.needed ?? null,
      value === OTHER ? [] : (value ?? null),
    ]);
    const group = groups.get(kind) ?? [];
    const twin = group.at(-1) ?? NONE;
    groups.set(kind, group);
    group.push(step.bit);
    if (twin === step.twin) return step;
    changed = true;
    return { ...step, twin };
  });
  return {
    inPlay,
    groups: changed ? [...groups.values()].filter((group) => group.length > 1) : [],
  };
}

/** Hands out bits; returned ones are reused first. */
class Bits {
  private readonly back: bigint[] = [];
  private width = 0n;

  take(): bigint {
    return this.back.pop() ?? 1n << this.width++;
  }

  free(bit: bigint): void {
    this.back.push(bit);
  }
}

function union(steps: readonly TimelineStep[]): bigint {
  return steps.reduce((bits, step) => bits | step.bit, NONE);
}

const NONE = 0n;
