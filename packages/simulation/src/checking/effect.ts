// The effect of an operation on its key: the value it needs to find, and the value it leaves.

import type { Operation } from './history.ts';

/** The value of a register; `undefined` if it is absent. */
export type Value = string | undefined;

/** Stands for all values that no later operation names; they need not be distinguished. */
export const OTHER: unique symbol = Symbol('other');
export type Held = Value | typeof OTHER;

/** The effect of an operation on its key. */
export interface Effect {
  readonly operation: Operation;
  /**
   * The value that the register must hold when the operation takes effect: any value, exactly
   * `needed`, or any value but `needed`. With 'any', `needed` has no meaning.
   */
  readonly needs: 'any' | 'is' | 'not';
  readonly needed: Value;
  /**
   * True if it writes `value` (`undefined` deletes the key). Otherwise it only reads, and `value`
   * has no meaning.
   */
  readonly writes: boolean;
  readonly value: Value;
  /**
   * True if it certainly took effect, because it completed. Otherwise it may take effect at any
   * time after its call, or never.
   */
  readonly certain: boolean;
  /**
   * Positions of its call and of its return in the order of the history; `returned` is Infinity if
   * the outcome is unknown.
   */
  readonly called: number;
  readonly returned: number;
}

/**
 * Returns the effects of operations on one key in order of call. Leaves out operations that give no
 * information: failed ones, unanswered reads, and an unanswered cas that would write the value that
 * it expects.
 */
export function effectsOf(operations: readonly Operation[]): Effect[] {
  const effects = operations.map(effectOf).filter((effect) => effect !== undefined);
  return effects.sort((a, b) => a.called - b.called);
}

/** Returns whether an operation can take effect on a register that holds `value`. */
export function accepts(effect: Effect, value: Held): boolean {
  return effect.needs === 'any' || (effect.needed === value) === (effect.needs === 'is');
}

/**
 * Returns true if the result of an operation may come from `value`, that is, if it looks and
 * `value` fits.
 */
export function observes(effect: Effect, value: Held): boolean {
  return effect.needs !== 'any' && accepts(effect, value);
}

/** Returns true if the operation writes without looking at the old value. */
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
  // An absent key is `undefined` in the result of a get, and `null` in that of a set.
  const { op, result } = operation;
  if (op === 'get') return looks(operation, 'is', result as Value);
  if (op === 'cas')
    return result === true
      ? replaces(operation, 'is', operation.expected, operation.value)
      : looks(operation, 'not', operation.expected);
  if (op === 'set')
    return result === undefined
      ? replaces(operation, 'any', undefined, operation.value)
      : replaces(
          operation,
          'is',
          result === null ? undefined : (result as string),
          operation.value,
        );
  // The result of a delete is true if the key existed.
  if (result === undefined) return replaces(operation, 'any', undefined, undefined);
  return result === true
    ? replaces(operation, 'not', undefined, undefined)
    : looks(operation, 'is', undefined);
}

function uncertain(operation: Operation): Effect | undefined {
  if (operation.op === 'get') return undefined;
  const times = { certain: false, returned: Number.POSITIVE_INFINITY };
  if (operation.op === 'set')
    return { ...replaces(operation, 'any', undefined, operation.value), ...times };
  if (operation.op === 'delete')
    return { ...replaces(operation, 'any', undefined, undefined), ...times };
  const effect = replaces(operation, 'is', operation.expected, operation.value);
  return effect.writes ? { ...effect, ...times } : undefined;
}

/**
 * The effect of a completed write. A write that replaces a value with the same value only looks.
 */
function replaces(
  operation: Operation,
  needs: Effect['needs'],
  needed: Value,
  value: Value,
): Effect {
  const writes = !(needs === 'is' && needed === value);
  return {
    operation,
    needs,
    needed,
    writes,
    value,
    certain: true,
    called: operation.called,
    returned: operation.returned ?? Number.POSITIVE_INFINITY,
  };
}

function looks(operation: Operation, needs: 'is' | 'not', needed: Value): Effect {
  return { ...replaces(operation, needs, needed, undefined), writes: false };
}
