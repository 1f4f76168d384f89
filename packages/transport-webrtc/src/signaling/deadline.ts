// Bounds the waits of a dial by its timeout and its abort signal.

import { type Clock, TransportError } from '@trunkline/transport-core';
import { inMs, reasonError } from '@trunkline/transport-core/backend';

/** The bounds of one dial. */
export interface Bounds {
  readonly clock: Clock;
  /** In milliseconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
  readonly target: string;
}

/**
 * Runs a dial, which receives a signal that aborts when the time is up. Rejects with `dial_timeout`
 * in that case, or with the reason of `signal` if that signal aborts first. A result of `run` that
 * comes after that is dropped, so `run` ends what it has opened when its signal aborts.
 */
export async function withDeadline<T>(
  { clock, timeout, signal, target }: Bounds,
  run: (ending: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const ending = new AbortController();
  const end = () => {
    const text = `Cannot connect to ${target}: no answer within ${inMs(timeout)}`;
    ending.abort(reasonError('dial_timeout', text, { target }));
  };
  const late = clock.setTimeout(end, timeout);
  const abort = () => ending.abort(signal?.reason);
  signal?.addEventListener('abort', abort);
  try {
    return await Promise.race([
      new Promise<never>((_, reject) => {
        ending.signal.addEventListener('abort', () => reject(ending.signal.reason));
      }),
      run(ending.signal),
    ]);
  } finally {
    clock.clearTimeout(late);
    signal?.removeEventListener('abort', abort);
  }
}

/** Translates `not_found`, from the hub or the other node, to `connection_refused`. */
export function nobodyThere(error: unknown, target: string): unknown {
  if (!(error instanceof TransportError) || error.code !== 'not_found') return error;
  const text = `Cannot connect to ${target}: no node accepts sessions under this id`;
  return reasonError('connection_refused', text, { cause: error, target });
}
