// Sends a call on, and reports its end. The items of a stream are part of its call.

import { type ClientCall, TransportError } from '@trunkline/transport-core';
import type { ClientNext } from '@trunkline/transport-core/backend';

/** Sends a call on. Rejects if an inner interceptor throws. */
export function forward(next: ClientNext, call: ClientCall): Promise<unknown> {
  try {
    return next(call);
  } catch (error) {
    return Promise.reject(error);
  }
}

/**
 * Sends a call on, and calls `ended` once: without an error if its answer or all of its items came
 * or its reader left, otherwise with the error. If nobody reads the items and the call has no
 * signal, `ended` is never called. `ended` must not throw, because nothing would catch the error.
 * `sent` is called when the request of a download or duplex call was sent, because the first item
 * may come late.
 */
export function follow(
  next: ClientNext,
  call: ClientCall,
  ended: (error: unknown) => void,
  sent?: () => void,
): Promise<unknown> {
  const result = forward(next, call);
  if (call.kind === 'download' || call.kind === 'duplex')
    return result.then(
      (items) => {
        sent?.();
        return followed(items as AsyncIterable<unknown>, call.signal, ended);
      },
      (error) => {
        ended(error);
        throw error;
      },
    );
  // The promise itself is returned, so that a call takes no further turn of the microtask queue.
  result.then(() => ended(undefined), ended);
  return result;
}

/** Passes the items on. An abort of the signal also ends the call, in case nobody reads them. */
function followed(
  items: AsyncIterable<unknown>,
  signal: AbortSignal | undefined,
  ended: (error: unknown) => void,
): AsyncIterableIterator<unknown> {
  const iterator = items[Symbol.asyncIterator]();
  let isOver = false;
  const end = (error: unknown) => {
    if (isOver) return;
    isOver = true;
    signal?.removeEventListener('abort', abort);
    ended(error);
  };
  const abort = () =>
    end(new TransportError('cancelled', 'its signal was aborted', { cause: signal?.reason }));
  signal?.addEventListener('abort', abort);
  if (signal?.aborted === true) abort();
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      try {
        const result = await iterator.next();
        if (result.done === true) end(undefined);
        return result;
      } catch (error) {
        end(error);
        throw error;
      }
    },
    async return() {
      end(undefined);
      await iterator.return?.();
      return { done: true, value: undefined };
    },
  };
}
