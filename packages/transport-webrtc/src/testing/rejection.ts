// The error of a promise that must reject.

import type { TransportError } from '@trunkline/transport-core';

/** Resolves with the error of a promise that rejects. */
export async function rejection(promise: Promise<unknown>): Promise<TransportError> {
  return promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (error) => error,
  );
}
