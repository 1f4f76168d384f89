// One key's operations laid out for the search: which must be done by when, and which can be taken next.

import { type Effect, type Held, isBlind, OTHER, observes, type Value } from './effect.ts';
import { hiding } from './hiding.ts';

/** An operation with its place in a configuration's bitsets. */
export interface Step extends Effect {
  /** One bit, its own from its call until it is out of play: later steps use it again, so that a bitset stays as narrow as the concurrency. */
  readonly bit: bigint;
  /** The bit of the interchangeable step right before it, which is to be taken first; 0 where there is none, and for completed operations. */
  readonly twin: bigint;
  /** Whether it is a completed write that does not look, and something may look at what it wrote. */
  readonly seen: boolean;
}

/** What a configuration meets while one completed operation is due: the first in order of return that is not done. */
export interface Stage {
  readonly due: Step;
  /** The steps called before that one returned and still in play, in order of call. */
  readonly inPlay: readonly Step[];
  /** The bits of the completed operations that were called since the one before returned. */
  readonly entering: bigint;
  /** The bits of the steps that are out of play once it has returned. */
  readonly leaving: bigint;
  /** The bits of the completed operations in play that write without looking. */
  readonly blind: bigint;
  /** Where steps have become interchangeable that were not before: the bits of all that are, each group in order of call. */
  readonly groups: readonly (readonly bigint[])[];
  /** What a register that holds a value holds to all that follows: OTHER, where nothing asks for that value any more. */
  held(value: Held): Held;
  /** Whether an operation that is not in play yet certainly finds a value. */
  wanted(value: Held): boolean;
  /** Whether one that is not in play yet may write it. */
  coming(value: Held): boolean;
}

/** The stages in order of return. `effects` are in order of call. */
export function timelineOf(effects: readonly Effect[]): Stage[] {
  const order = effects.filter((effect) => effect.certain).sort((a, b) => a.returned - b.returned);
  const lastUse = lastUses(effects, new Map(order.map(({ operation }, index) => [operation, index])));
  const lastName = new Map<Held, number>();
  for (const { needs, needed, operation } of effects) {
    if (needs !== 'any') lastName.set(needed, Math.max(lastName.get(needed) ?? 0, lastUse.get(operation)!));
  }
  const lastWanted = new Map<Held, number>();
  const lastWrite = new Map<Held, number>();
  for (const { certain, needs, needed, writes, value, called } of effects) {
    if (certain && needs === 'is') lastWanted.set(needed, called);
    if (writes) lastWrite.set(value, called);
  }
  const hidden = hiding(effects);
  const bits = new Bits();
  let playing: Step[] = [];
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
      const seen = entrant.certain && isBlind(entrant) && isSeen(entrant, playing, effects, next, hidden(entrant.returned));
      const step = { ...entrant, bit: bits.take(), twin: NONE, seen };
      playing.push(step);
      if (step.certain) entering |= step.bit;
    }
    const regroup = playing.some((step, place) => !step.certain && (place >= entered || lastName.get(step.value) === index - 1));
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
 * By operation: the last stage in which it can matter. For a completed one that is its own return. A write of unknown outcome matters
 * until everything has returned that could owe its outcome to it, directly or by way of a cas of unknown outcome. After that, or where
 * there is no such thing, it can be left out of any order: whatever follows it there does not look at its value, but overwrites it.
 */
function lastUses(effects: readonly Effect[], returns: ReadonlyMap<Effect['operation'], number>): Map<Effect['operation'], number> {
  const last = new Map(effects.map(({ operation }) => [operation, returns.get(operation) ?? -1]));
  const uncertain = effects.filter((effect) => !effect.certain);
  const looking = effects.filter((effect) => effect.needs !== 'any');
  for (let changed = true; changed; ) {
    changed = false;
    const uses = new Map<Value, number>();
    for (const { operation, value } of uncertain) {
      const use = uses.get(value) ?? looking.reduce((use, other) => (observes(other, value) ? Math.max(use, last.get(other.operation)!) : use), -1);
      uses.set(value, use);
      if (use <= last.get(operation)!) continue;
      last.set(operation, use);
      changed = true;
    }
  }
  return last;
}

/** Whether something may look at what a write wrote: `earlier`, or called after it (it stands at `index`) and before it is hidden for good. */
function isSeen(write: Effect, earlier: readonly Effect[], effects: readonly Effect[], index: number, hidden: number): boolean {
  if (earlier.some((other) => observes(other, write.value))) return true;
  for (let i = index + 1; i < effects.length && effects[i]!.called < hidden; i++) if (observes(effects[i]!, write.value)) return true;
  return false;
}

/** Finds the steps of unknown outcome that are interchangeable: they need the same and leave what is the same to all that follows. */
function grouped(steps: readonly Step[], held: (value: Held) => Held): { inPlay: Step[]; groups: bigint[][] } {
  const groups = new Map<string, bigint[]>();
  let changed = false;
  const inPlay = steps.map((step) => {
    if (step.certain) return step;
    const value = held(step.value);
    const kind = JSON.stringify([step.needs, step.needed ?? null, value === OTHER ? [] : (value ?? null)]);
    const group = groups.get(kind) ?? [];
    const twin = group.at(-1) ?? NONE;
    groups.set(kind, group);
    group.push(step.bit);
    if (twin === step.twin) return step;
    changed = true;
    return { ...step, twin };
  });
  return { inPlay, groups: changed ? [...groups.values()].filter((group) => group.length > 1) : [] };
}

/** Gives out bits, the ones that came back first. */
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

function union(steps: readonly Step[]): bigint {
  return steps.reduce((bits, step) => bits | step.bit, NONE);
}

const NONE = 0n;
