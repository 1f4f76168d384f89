// The linearizability check: could a single copy of a key-value store, which performs one operation
// at a time, have given the answers that its clients saw?

import { refuseUnknown } from '@trunkline/transport-core/backend';
import { type Effect, effectsOf } from './effect.ts';
import { explain, told } from './explain.ts';
import type { History, Operation } from './history.ts';
import { type Found, findOrder } from './search.ts';
import { shortestFailing, shrink } from './shrink.ts';
import { type Violation, violationOf } from './violation.ts';

/** Options of `check.linearizable`. */
export interface LinearizableOptions {
  /**
   * The number of configurations that the check may search per key before its verdict is
   * `undefined`. Each visited configuration (the progress of all clients, and the value at that
   * point) counts as one, and so do a hundred comparisons between configurations. Default
   * 1,000,000, which takes about ten seconds, and at most about 300 bytes per configuration.
   * Shrinking a counter-example may search the same number again, and then stops with the smallest
   * counter-example found so far. Ordinary histories need one to eight configurations per
   * operation. Unknown outcomes combined with few distinct values need many more, so let clients
   * write distinct values.
   */
  readonly limit?: number;
}

/** The result of `check.linearizable`. */
export type LinearizableVerdict =
  /** `configurations` is the number of visited configurations, over all keys. */
  | { readonly linearizable: true; readonly configurations: number }
  /**
   * No order of all operations explains what the clients saw. `operations` is a counter-example:
   * some operations of one key, listed in order of call, that no order explains. `text` has a line
   * for each of them, and a last line with the reason. If the verdict is the `cause` of a
   * scenario's error, the failure's report shows `violation`.
   */
  | {
      readonly linearizable: false;
      readonly configurations: number;
      readonly key: string;
      readonly operations: readonly Operation[];
      readonly text: string;
      readonly violation: Violation;
    }
  /**
   * No key failed, but the limit was reached, first at `key`. `text` says how many operations some
   * order explains.
   */
  | {
      readonly linearizable: undefined;
      readonly configurations: number;
      readonly key: string;
      readonly text: string;
    };

/**
 * Checks whether some order of all operations respects real time (an operation that returned before
 * another was called comes first) and explains every result, if each key is a register that is
 * absent at first (Herlihy and Wing, Linearizability, TOPLAS 12(3), 1990). Keys are checked
 * separately, because a history is linearizable if its part for every object is (the same paper,
 * section 3.3, locality; Horn and Kroening, Faster Linearizability Checking via P-compositionality,
 * FORTE 2015). If several keys fail, the verdict is about the key that was used first.
 *
 * @throws TypeError for an unknown option.
 */
export function checkLinearizable(
  history: History | readonly Operation[],
  options: LinearizableOptions = {},
): LinearizableVerdict {
  refuseUnknown(options, 'check.linearizable', ['limit']);
  const { limit = LIMIT } = options;
  const operations = 'operations' in history ? history.operations : history;
  let configurations = 0;
  let undecided: { readonly key: string; readonly text: string } | undefined;
  for (const [key, ofKey] of byKey(operations)) {
    const found = findOrder(effectsOf(ofKey), limit);
    configurations += found.configurations;
    if (found.order === undefined) undecided ??= { key, text: known(key, ofKey, found, limit) };
    if (found.order === false)
      return {
        linearizable: false,
        configurations,
        key,
        ...counterExample(key, ofKey, found, limit),
      };
  }
  if (undecided === undefined) return { linearizable: true, configurations };
  return { linearizable: undefined, configurations, ...undecided };
}

/** Says what is known about a key at the limit. */
function known(
  key: string,
  operations: readonly Operation[],
  { stuck }: Found,
  limit: number,
): string {
  const completed = operations.filter(({ outcome }) => outcome === 'ok');
  const explained = completed.filter(({ returned }) => returned! < stuck).length;
  return `undecided: key ${key}, the limit of ${limit} was reached: some order explains the first ${explained} of its ${completed.length} completed operations; raise the limit, or let clients write distinct values or have fewer unknown outcomes`;
}

function byKey(operations: readonly Operation[]): Map<string, Operation[]> {
  const keys = new Map<string, Operation[]>();
  for (const operation of operations) {
    const ofKey = keys.get(operation.key);
    if (ofKey === undefined) keys.set(operation.key, [operation]);
    else ofKey.push(operation);
  }
  return keys;
}

/**
 * Finds a small counter-example. Skips a step that takes far longer than the verdict did. Skips all
 * further steps once the steps together have used up the limit.
 */
function counterExample(
  key: string,
  operations: readonly Operation[],
  { stuck, work }: Found,
  limit: number,
): { operations: Operation[]; text: string; violation: Violation } {
  let left = limit;
  const fails = (effects: readonly Effect[]) => {
    if (left <= 0) return false;
    const found = findOrder(effects, Math.min(left, PATIENCE * work + LEAST));
    left -= found.work;
    return found.order === false;
  };
  const prefix = shortestFailing(operations, stuck, fails);
  const smallest = shrink(prefix, fails);
  const shown = smallest.map((effect) => effect.operation);
  return {
    operations: shown,
    text: explain(key, smallest, prefix, operations.length),
    violation: violationOf(shown, told),
  };
}

const LIMIT = 1_000_000;
/**
 * Maximum work of a step towards a counter-example: `PATIENCE` times the work of the verdict, plus
 * `LEAST`.
 */
const PATIENCE = 2;
const LEAST = 10_000;
