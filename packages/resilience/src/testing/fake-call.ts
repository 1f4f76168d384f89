// A call as an interceptor sees it, and a server whose answers the test gives.

import type { ClientCall, ClientInterceptor } from '@trunkline/transport-core';
import { TransportError } from '@trunkline/transport-core';
import type { ManualClock } from '@trunkline/transport-core/testing';
import { createManualClock } from '@trunkline/transport-core/testing';

/** Returns a unary call to orders/get. */
export function fakeCall(given: Partial<ClientCall> = {}): ClientCall {
  return {
    protocol: 'orders',
    method: 'get',
    kind: 'unary',
    request: 'a request',
    metadata: {},
    upload: undefined,
    deadline: undefined,
    target: 'orders',
    signal: undefined,
    ...given,
  };
}

/** An attempt that reached the test. */
export interface FakeAttempt {
  readonly target: ClientCall['target'];
  readonly metadata: ClientCall['metadata'];
  readonly signal: AbortSignal | undefined;
  readonly at: number;
  answer(value: unknown): Promise<void>;
  fail(error: unknown): Promise<void>;
}

/** A chain of interceptors whose attempts the test answers. */
export class FakeServer {
  readonly clock: ManualClock = createManualClock();
  readonly attempts: FakeAttempt[] = [];

  /** Sends a call through an interceptor. Attempts whose signal aborts fail with `cancelled`. */
  send(interceptor: ClientInterceptor, call: ClientCall): Promise<unknown> {
    const result = interceptor((attempt) => this.#take(attempt))(call);
    result.catch(() => {}); // The test checks it later.
    return result;
  }

  get last(): FakeAttempt {
    return this.attempts.at(-1)!;
  }

  /** Advances time, and lets promises settle. */
  async advance(milliseconds: number): Promise<void> {
    this.clock.advance(milliseconds);
    await settled();
  }

  #take({ target, metadata, signal }: ClientCall): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const settle = async (run: () => void) => {
        run();
        await settled();
      };
      this.attempts.push({
        target,
        metadata,
        signal,
        at: this.clock.now(),
        answer: (value) => settle(() => resolve(value)),
        fail: (error) => settle(() => reject(error)),
      });
      signal?.addEventListener(
        'abort',
        () =>
          reject(new TransportError('cancelled', 'aborted', { sent: true, cause: signal.reason })),
        { once: true },
      );
    });
  }
}

/** Lets all promises that can settle do so. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

export const unsent = () =>
  new TransportError('unavailable', 'nothing listens', {
    reason: 'connection_refused',
    sent: false,
  });
export const reset = () =>
  new TransportError('unavailable', 'the connection was reset', { reason: 'reset', sent: true });
