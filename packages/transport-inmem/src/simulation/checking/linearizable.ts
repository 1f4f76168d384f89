// Whether what clients saw of a key-value store is what one copy, asked one operation at a time, could have answered.

import { type Effect, effectsOf } from './effect.ts';
import { explain } from './explain.ts';
import type { History, Operation } from './history.ts';
import { type Found, findOrder } from './search.ts';
import { shortestFailing, shrink } from './shrink.ts';

export interface CheckOptions {
  /**
   * How much is searched for a key before its verdict is `undefined`: configurations (how far all clients are, and the value there), and
   * one more for a hundred comparisons between them; default 1,000,000, some ten seconds. Making a counter-example small is given as
   * much again, and leaves it as it is then. A search takes at most about 300 bytes for each. Ordinary histories need from one to eight an operation, but what makes
   * for many are unknown outcomes together with few different values: clients had best write distinct ones.
   */
  readonly limit?: number;
}

export type Verdict =
  /** `configurations`: how many were visited, of all keys. */
  | { readonly linearizable: true; readonly configurations: number }
  /**
   * No order of all operations explains what they saw. `operations` are a counter-example: they are of one key, in order of call, and no
   * order of these alone explains them either. `shrink` says what was left out. `text` has one line for each, and a last one that says why.
   */
  | { readonly linearizable: false; readonly configurations: number; readonly key: string; readonly operations: readonly Operation[]; readonly text: string }
  /** The limit was reached at `key`, and no other key has failed. */
  | { readonly linearizable: undefined; readonly configurations: number; readonly key: string; readonly text: string };

/**
 * Whether there is one order of all operations that respects real time (what returned before another was called comes first) and in which
 * each saw what a register that is absent at first would have shown it (Herlihy and Wing, Linearizability, TOPLAS 12(3), 1990). It judges
 * each key by itself: a history is linearizable if its part for every object is (the same paper, section 3.3, locality; Horn and Kroening,
 * Faster Linearizability Checking via P-compositionality, FORTE 2015). The first key that fails, in order of their first calls, is told.
 */
export function checkLinearizable(history: History | readonly Operation[], options: CheckOptions = {}): Verdict {
  const { limit = LIMIT } = options;
  const operations = 'operations' in history ? history.operations : history;
  let configurations = 0;
  let undecided: string | undefined;
  for (const [key, ofKey] of byKey(operations)) {
    const found = findOrder(effectsOf(ofKey), limit);
    configurations += found.configurations;
    if (found.order === undefined) undecided ??= key;
    if (found.order === false) return { linearizable: false, configurations, key, ...counterExample(key, ofKey, found, limit) };
  }
  if (undecided === undefined) return { linearizable: true, configurations };
  const text = `undecided: key ${undecided}, the limit of ${limit} was reached; raise it, or let clients write distinct values or have fewer unknown outcomes`;
  return { linearizable: undefined, configurations, key: undecided, text };
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

/** A step that takes far longer than the verdict did is not taken; once all together took as long as the limit allows, no more are. */
function counterExample(key: string, operations: readonly Operation[], { stuck, work }: Found, limit: number): { operations: Operation[]; text: string } {
  let left = limit;
  const fails = (effects: readonly Effect[]) => {
    if (left <= 0) return false;
    const found = findOrder(effects, Math.min(left, PATIENCE * work + LEAST));
    left -= found.work;
    return found.order === false;
  };
  const prefix = shortestFailing(operations, stuck, fails);
  const smallest = shrink(prefix, fails);
  return { operations: smallest.map((effect) => effect.operation), text: explain(key, smallest, prefix, operations.length) };
}

const LIMIT = 1_000_000;
/** How much longer than the verdict a step towards a counter-example may take: so many times as long, and so much more. */
const PATIENCE = 2;
const LEAST = 10_000;
