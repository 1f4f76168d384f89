// Histories of transactions on lists, in the form that the checker takes.

import type { ObjectCall } from '../objects/object-history.ts';

/**
 * A step of a transaction: append a value to the list of a key, or read the list. No value may be
 * appended to one key twice, because the checker identifies appends by their values.
 */
export type TransactionStep =
  | { readonly op: 'append'; readonly key: string; readonly value: string }
  | { readonly op: 'read'; readonly key: string };

/** The steps of a transaction, in order. */
export type TransactionCommand = readonly TransactionStep[];
/** For each step: the list that it read, or undefined for an append. */
export type TransactionResult = readonly (readonly string[] | undefined)[];

/** A transaction of a history. */
export type TransactionCall = ObjectCall<TransactionCommand, TransactionResult>;

/** Formats a transaction: 'c1 append x 1, read y -> [2]  [3..8]'. */
export function describe(call: TransactionCall): string {
  const end = call.outcome === 'ok' ? call.returned : call.outcome === 'failed' ? 'failed' : '?';
  return `${call.client}  ${stepsOf(call)}  [${call.called}..${end}]`;
}

/** Formats the steps of a transaction: 'append x 1, read y -> [2]'. */
export function stepsOf(call: TransactionCall): string {
  const steps = call.command.map((step, index) => {
    if (step.op === 'append') return `append ${step.key} ${step.value}`;
    const list = call.outcome === 'ok' ? call.result?.[index] : undefined;
    return `read ${step.key} -> ${list === undefined ? '?' : `[${list.join(' ')}]`}`;
  });
  return steps.join(', ');
}
