// What an operation says about its key: the value it needs to find, and the value it leaves.

import type { Operation } from './history.ts';

/** What a register holds; `undefined` where it is absent. */
export type Value = string | undefined;

/** A value that nothing asks for by name: for all that follows, one such value is as good as another. */
export const OTHER: unique symbol = Symbol('other');
export type Held = Value | typeof OTHER;

export interface Effect {
  readonly operation: Operation;
  /** What the register must hold when it takes effect: anything, exactly `needed`, or anything but `needed`. */
  readonly needs: 'any' | 'is' | 'not';
  readonly needed: Value;
  /** Whether it leaves `value` there; otherwise it only looks. */
  readonly writes: boolean;
  readonly value: Value;
  /** Whether it took effect for certain: it completed. Otherwise it may, at any time after its call, or never. */
  readonly certain: boolean;
  /** When it was called, and when its answer came: a number of the history's order, Infinity where its outcome is not known. */
  readonly called: number;
  readonly returned: number;
}

/** The effects of operations on one key, in order of call. Those that say nothing are left out: failed ones, and reads without an answer. */
export function effectsOf(operations: readonly Operation[]): Effect[] {
  const effects = operations.map(effectOf).filter((effect) => effect !== undefined);
  return effects.sort((a, b) => a.called - b.called);
}

/** Whether an operation could take effect on a register that holds `value`. */
export function accepts(effect: Effect, value: Held): boolean {
  return effect.needs === 'any' || (effect.needed === value) === (effect.needs === 'is');
}

/** Whether the outcome of an operation can be owed to `value`: it looks, and `value` is what it needs. */
export function observes(effect: Effect, value: Held): boolean {
  return effect.needs !== 'any' && accepts(effect, value);
}

/** Whether it writes without looking. */
export function isBlind(effect: Effect): boolean {
  return effect.writes && effect.needs === 'any';
}

function effectOf(operation: Operation): Effect | undefined {
  switch (operation.outcome) {
    case 'failed':
      return undefined;
    case 'ok':
      return completed(operation);
    default:
      return uncertain(operation);
  }
}

function completed(operation: Operation): Effect {
  const { op, result } = operation;
  if (op === 'get') return looks(operation, 'is', result as Value);
  if (op === 'cas') return result === true ? replaces(operation, 'is', operation.expected, operation.value) : looks(operation, 'not', operation.expected);
  if (op === 'set')
    return result === undefined
      ? replaces(operation, 'any', undefined, operation.value)
      : replaces(operation, 'is', result === null ? undefined : (result as string), operation.value);
  if (result === undefined) return replaces(operation, 'any', undefined, undefined);
  return result === true ? replaces(operation, 'not', undefined, undefined) : looks(operation, 'is', undefined);
}

function uncertain(operation: Operation): Effect | undefined {
  if (operation.op === 'get') return undefined;
  const times = { certain: false, returned: Number.POSITIVE_INFINITY };
  if (operation.op === 'set') return { ...replaces(operation, 'any', undefined, operation.value), ...times };
  if (operation.op === 'delete') return { ...replaces(operation, 'any', undefined, undefined), ...times };
  const effect = replaces(operation, 'is', operation.expected, operation.value);
  return effect.writes ? { ...effect, ...times } : undefined;
}

function replaces(operation: Operation, needs: Effect['needs'], needed: Value, value: Value): Effect {
  const writes = !(needs === 'is' && needed === value);
  return { operation, needs, needed, writes, value, certain: true, called: operation.called, returned: operation.returned ?? Number.POSITIVE_INFINITY };
}

function looks(operation: Operation, needs: 'is' | 'not', needed: Value): Effect {
  return { ...replaces(operation, needs, needed, undefined), writes: false };
}
