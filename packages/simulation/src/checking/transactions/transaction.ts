// Histories of transactions on lists and registers, in the form that the checker takes.

import type { ObjectCall } from '../objects/object-history.ts';

/**
 * A step of a transaction: append a value to the list of a key, write the register of a key, or
 * read a key. A key is either a list or a register. No value may be appended or written to one key
 * twice, because the checker identifies the writes by their values.
 */
export type TransactionStep =
  | { readonly op: 'append' | 'write'; readonly key: string; readonly value: string }
  | { readonly op: 'read'; readonly key: string };

/** The steps of a transaction, in order. */
export type TransactionCommand = readonly TransactionStep[];
/**
 * For each step: the list that it read, the value of the register that it read (`null` if it was
 * absent), or undefined for an append or a write.
 */
export type TransactionResult = readonly (readonly string[] | string | null | undefined)[];

/** A transaction of a history. */
export type TransactionCall = ObjectCall<TransactionCommand, TransactionResult>;

/** An anomaly, as the checker reports it. */
export interface Anomaly {
  /** The name that Adya and Elle give it, such as G1a. */
  readonly anomaly: string;
  readonly transactions: readonly TransactionCall[];
  readonly text: string;
}

/** Returns an anomaly whose text is a reason and a line for each transaction. */
export function anomalyOf(
  anomaly: string,
  reason: string,
  transactions: readonly TransactionCall[],
): Anomaly {
  const lines = transactions.map((call) => `\n  ${describe(call)}`);
  return { anomaly, transactions, text: `${anomaly}${reason}${lines.join('')}` };
}

/** Formats a transaction: 'c1 append x 1, read y -> [2]  [3..8]'. */
export function describe(call: TransactionCall): string {
  const end = call.outcome === 'ok' ? call.returned : call.outcome === 'failed' ? 'failed' : '?';
  return `${call.client}  ${stepsOf(call)}  [${call.called}..${end}]`;
}

/** Formats the steps of a transaction: 'append x 1, read y -> [2]'. */
export function stepsOf(call: TransactionCall): string {
  const steps = call.command.map((step, index) => {
    if (step.op !== 'read') return `${step.op} ${step.key} ${step.value}`;
    const read = call.outcome === 'ok' ? call.result?.[index] : undefined;
    return `read ${step.key} -> ${shown(read)}`;
  });
  return steps.join(', ');
}

function shown(read: TransactionResult[number]): string {
  if (read === undefined) return '?';
  if (read === null) return 'absent';
  return typeof read === 'string' ? read : `[${read.join(' ')}]`;
}
