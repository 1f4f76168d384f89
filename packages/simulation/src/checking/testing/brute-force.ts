// A brute-force linearizability check that follows the definition and tries every order. It shares
// only the type of operations with the checker that it tests.

import type { Operation } from '../history.ts';

/**
 * Returns true if some order of one key's operations explains all completed ones. The time grows
 * with the factorial of the number of operations.
 */
export function hasOrder(operations: readonly Operation[]): boolean {
  return from(
    undefined,
    operations.filter(({ outcome }) => outcome !== 'failed'),
  );
}

function from(value: string | undefined, left: readonly Operation[]): boolean {
  if (left.every(({ outcome }) => outcome !== 'ok')) return true;
  return left.some((operation) => {
    if (left.some((other) => other.outcome === 'ok' && other.returned! < operation.called))
      return false;
    const { result, value: after } = apply(operation, value);
    if (operation.outcome === 'ok' && operation.result !== undefined && operation.result !== result)
      return false;
    if (operation.outcome === 'ok' && operation.op === 'get' && operation.result !== result)
      return false;
    return from(
      after,
      left.filter((other) => other !== operation),
    );
  });
}

/** Applies an operation to a register that holds `value`; returns its result and the new value. */
export function apply(
  operation: Pick<Operation, 'op'> & Partial<Operation>,
  value: string | undefined,
): { result: string | boolean | null | undefined; value: string | undefined } {
  switch (operation.op) {
    case 'get':
      return { result: value, value };
    case 'set':
      return { result: value ?? null, value: (operation as { value: string }).value };
    case 'delete':
      return { result: value !== undefined, value: undefined };
    default: {
      const { expected, value: wanted } = operation as {
        expected: string | undefined;
        value: string;
      };
      return value === expected ? { result: true, value: wanted } : { result: false, value };
    }
  }
}
