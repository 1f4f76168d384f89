// The order of the versions of each key, as reads of lists show it, and the anomalies that can be
// seen without a cycle of dependencies.

import { describe, type TransactionCall } from './transaction.ts';

/** An anomaly, as the checker reports it. */
export interface Anomaly {
  /** The name that Adya and Elle give it, such as G1a. */
  readonly anomaly: string;
  readonly transactions: readonly TransactionCall[];
  readonly text: string;
}

/** The versions of one key, as the reads of a history show them. */
export interface KeyVersions {
  /** The longest list that was read: all observed values in order. */
  readonly order: readonly string[];
  /** The transaction that appended each value. */
  readonly writers: ReadonlyMap<string, TransactionCall>;
}

/** A read of a committed transaction, before the transaction's own appends to the key. */
export interface ListRead {
  readonly reader: TransactionCall;
  readonly key: string;
  readonly list: readonly string[];
}

/** The versions of all keys, and the reads that depend on other transactions. */
export interface Versions {
  readonly keys: ReadonlyMap<string, KeyVersions>;
  readonly reads: readonly ListRead[];
}

/**
 * Finds the order of versions.
 *
 * @throws TypeError if a value was appended to one key twice.
 * @returns an anomaly if the reads contradict each other, or show values that no transaction may
 *   see.
 */
export function versionsOf(calls: readonly TransactionCall[]): Versions | Anomaly {
  const writers = writersOf(calls);
  const orders = new Map<string, { list: readonly string[]; reader: TransactionCall }>();
  const reads: ListRead[] = [];
  for (const call of calls.filter(({ outcome }) => outcome === 'ok')) {
    /** The values with which each key ends, as far as this transaction knows. */
    const own = new Map<string, string[]>();
    const seen = new Map<string, readonly string[]>();
    for (const [index, step] of call.command.entries()) {
      const { key } = step;
      const appended = own.get(key) ?? [];
      if (step.op === 'append') {
        own.set(key, [...appended, step.value]);
        continue;
      }
      const list = call.result?.[index];
      if (list === undefined) continue;
      const before = seen.get(key);
      const isConsistent =
        endsWith(list, appended) &&
        (before === undefined || equals(list.slice(0, list.length - appended.length), before));
      if (!isConsistent)
        return {
          anomaly: 'internal',
          transactions: [call],
          text: `internal: a transaction reads [${list.join(' ')}] of ${key}, which contradicts its own earlier steps\n  ${describe(call)}`,
        };
      const foreign = list.slice(0, list.length - appended.length);
      if (before === undefined) reads.push({ reader: call, key, list: foreign });
      seen.set(key, foreign);
      const wrong = wrongRead(call, key, list, writers.get(key) ?? new Map());
      if (wrong !== undefined) return wrong;
      const longest = orders.get(key);
      const [short, long] =
        longest === undefined || longest.list.length < list.length
          ? [longest?.list ?? [], list]
          : [list, longest.list];
      if (!startsWith(long, short))
        return {
          anomaly: 'incompatible order',
          transactions: [longest!.reader, call],
          text: `incompatible order: two transactions read lists of ${key} of which neither begins with the other\n  ${describe(longest!.reader)}\n  ${describe(call)}`,
        };
      if (long === list) orders.set(key, { list, reader: call });
    }
  }
  const keys = new Map<string, KeyVersions>();
  for (const [key, ofKey] of writers)
    keys.set(key, { order: orders.get(key)?.list ?? [], writers: ofKey });
  return { keys, reads };
}

function writersOf(calls: readonly TransactionCall[]): Map<string, Map<string, TransactionCall>> {
  const writers = new Map<string, Map<string, TransactionCall>>();
  for (const call of calls) {
    for (const step of call.command) {
      if (step.op !== 'append') continue;
      const ofKey = writers.get(step.key) ?? new Map<string, TransactionCall>();
      writers.set(step.key, ofKey);
      const other = ofKey.get(step.value);
      if (other !== undefined)
        throw new TypeError(
          `check.transactions: ${step.value} was appended to ${step.key} twice, by ${other.client} and by ${call.client}: append each value once`,
        );
      ofKey.set(step.value, call);
    }
  }
  return writers;
}

/**
 * Finds a read of a value that no transaction wrote, that a failed transaction wrote, or that is
 * only half of what a transaction wrote.
 */
function wrongRead(
  call: TransactionCall,
  key: string,
  list: readonly string[],
  writers: ReadonlyMap<string, TransactionCall>,
): Anomaly | undefined {
  const twice = list.find((value, index) => list.indexOf(value) < index);
  if (twice !== undefined)
    return {
      anomaly: 'duplicate',
      transactions: [call],
      text: `duplicate: ${twice} is in the list of ${key} twice, though it was appended once\n  ${describe(call)}`,
    };
  for (const value of list) {
    const writer = writers.get(value);
    if (writer === undefined || writer.called > call.returned!)
      return {
        anomaly: 'garbage',
        transactions: [call],
        text: `garbage: ${value} is in the list of ${key}, though nothing had appended it\n  ${describe(call)}`,
      };
    if (writer.outcome === 'failed')
      return {
        anomaly: 'G1a',
        transactions: [writer, call],
        text: `G1a, aborted read: ${value} is in the list of ${key}, though the transaction that appended it failed\n  ${describe(writer)}\n  ${describe(call)}`,
      };
  }
  const last = list.at(-1);
  const writer = last === undefined ? undefined : writers.get(last)!;
  if (writer === undefined || writer === call) return undefined;
  const appended = writer.command.flatMap((step) =>
    step.op === 'append' && step.key === key ? [step.value] : [],
  );
  if (appended.at(-1) === last) return undefined;
  return {
    anomaly: 'G1b',
    transactions: [writer, call],
    text: `G1b, intermediate read: the list of ${key} ends with ${last}, which is not the last value that its transaction appended\n  ${describe(writer)}\n  ${describe(call)}`,
  };
}

function startsWith(list: readonly string[], head: readonly string[]): boolean {
  return head.every((value, index) => list[index] === value);
}

function endsWith(list: readonly string[], tail: readonly string[]): boolean {
  return equals(list.slice(Math.max(0, list.length - tail.length)), tail);
}

function equals(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && startsWith(one, other);
}
