// Histories of transactions from short texts, and a search of all orders of their transactions.

import type { IsolationLevel } from '../transactions/isolation-levels.ts';
import type {
  TransactionCall,
  TransactionResult,
  TransactionStep,
} from '../transactions/transaction.ts';

/**
 * Returns a transaction from a text such as 'ax1 ry:12 wz3 rz=3 rv=-', with one letter for each key
 * and value: a appends to a list, w writes a register, r: reads a list and r= a register, which `-`
 * shows as absent. `at` contains the positions of its call and its answer.
 */
export function transaction(
  text: string,
  at: readonly [called: number, returned: number],
  outcome: TransactionCall['outcome'] = 'ok',
): TransactionCall {
  const steps = text.split(' ').map((word): [TransactionStep, TransactionResult[number]] => {
    const [op, key = '', sign = '', ...values] = word;
    if (op === 'a') return [{ op: 'append', key, value: sign + values.join('') }, undefined];
    if (op === 'w') return [{ op: 'write', key, value: sign + values.join('') }, undefined];
    if (sign === ':') return [{ op: 'read', key }, values];
    return [{ op: 'read', key }, values[0] === '-' ? null : values.join('')];
  });
  const [called, returned] = at;
  const command = steps.map(([step]) => step);
  const result = steps.map(([, result]) => result);
  return { client: `c${called}`, command, outcome, result, called, returned };
}

/** Returns transactions that all overlap. */
export const together = (...texts: readonly string[]) =>
  texts.map((text, index) => transaction(text, [index + 1, 100 + index]));

/** Returns transactions one after the other. */
export const inTurn = (...texts: readonly string[]) =>
  texts.map((text, index) => transaction(text, [2 * index + 1, 2 * index + 2]));

type Store = ReadonlyMap<string, readonly string[]>;

/**
 * Returns true if some execution explains a history at a level, by trying all of them. It follows
 * the operational definitions: one transaction at a time, or for `snapshot` a snapshot at the start
 * of each transaction, whose writes succeed if no other transaction wrote the same keys since. No
 * transaction may read a value before its transaction was called.
 */
export function hasExecution(
  calls: readonly TransactionCall[],
  level: Exclude<IsolationLevel, 'read-committed' | 'repeatable-read'>,
): boolean {
  const left = calls.filter(({ outcome }) => outcome !== 'failed');
  const writers = new Map(
    left.flatMap((call) =>
      call.command.flatMap((step) =>
        step.op === 'read' ? [] : [[`${step.key} ${step.value}`, call] as const],
      ),
    ),
  );
  const isEarly = (call: TransactionCall, key: string, value: string) =>
    (writers.get(`${key} ${value}`)?.called ?? 0) > call.returned!;
  for (const call of left.filter(({ outcome }) => outcome === 'ok'))
    for (const [index, { op, key }] of call.command.entries())
      if (op === 'read' && [call.result?.[index] ?? []].flat().some((v) => isEarly(call, key, v)))
        return false;
  return level === 'snapshot'
    ? fromSnapshots(new Map(), left, [])
    : fromOneAtATime(new Map(), left, level === 'strict-serializable');
}

function fromOneAtATime(
  store: Store,
  left: readonly TransactionCall[],
  isStrict: boolean,
): boolean {
  if (left.every(({ outcome }) => outcome !== 'ok')) return true;
  return left.some((call) => {
    if (isStrict && left.some((other) => other.outcome === 'ok' && other.returned! < call.called))
      return false;
    const after = run(call, store);
    return (
      after !== undefined &&
      fromOneAtATime(
        after.store,
        left.filter((other) => other !== call),
        isStrict,
      )
    );
  });
}

interface Started {
  readonly call: TransactionCall;
  readonly store: Store;
}

function fromSnapshots(
  store: Store,
  waiting: readonly TransactionCall[],
  started: readonly Started[],
): boolean {
  if ([...waiting, ...started.map(({ call }) => call)].every(({ outcome }) => outcome !== 'ok'))
    return true;
  const canStart = waiting.some((call) =>
    fromSnapshots(
      store,
      waiting.filter((other) => other !== call),
      [...started, { call, store }],
    ),
  );
  return (
    canStart ||
    started.some((each) => {
      const after = run(each.call, each.store);
      if (after === undefined) return false;
      const merged = new Map(store);
      for (const key of after.written) {
        if (store.get(key) !== each.store.get(key)) return false;
        merged.set(key, after.store.get(key)!);
      }
      return fromSnapshots(
        merged,
        waiting,
        started.filter((other) => other !== each),
      );
    })
  );
}

/** Runs a transaction; returns undefined if its reads do not fit. */
function run(
  { command, outcome, result }: TransactionCall,
  before: Store,
): { readonly store: Store; readonly written: ReadonlySet<string> } | undefined {
  const store = new Map(before);
  const written = new Set<string>();
  for (const [index, step] of command.entries()) {
    const values = store.get(step.key) ?? [];
    if (step.op === 'read') {
      const read = result?.[index];
      if (outcome !== 'ok' || read === undefined) continue;
      const fits =
        read === null || typeof read === 'string'
          ? (values.at(-1) ?? null) === read
          : values.join() === read.join();
      if (!fits) return undefined;
    } else {
      store.set(step.key, [...values, step.value]);
      written.add(step.key);
    }
  }
  return { store, written };
}
