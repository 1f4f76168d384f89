// Returns the TransportError of an operation that must fail.

import { TransportError } from '@trunkline/transport-core';
import type { TestContext } from '../test-runner.ts';

/**
 * Returns the error that was thrown or that the promise rejected with. Fails the case if there was
 * no error, or an error of another class.
 */
export function failure(t: TestContext, run: () => unknown): TransportError;
export function failure(t: TestContext, promise: Promise<unknown>): Promise<TransportError>;
export function failure(
  t: TestContext,
  subject: Promise<unknown> | (() => unknown),
): TransportError | Promise<TransportError> {
  const judge = (error: unknown): TransportError => {
    t.true(error instanceof TransportError, `expected a TransportError, got ${String(error)}`);
    return error as TransportError;
  };
  if (typeof subject === 'function') {
    try {
      subject();
    } catch (error) {
      return judge(error);
    }
    return judge(undefined);
  }
  return subject.then(() => judge(undefined), judge);
}
