// Listening and dialing within this process, for `transport-inmem` and the simulation. The layer
// owns its pending dials. Subclasses decide how a dial reaches its target, and what connections
// carry.

import { type Clock, TransportError } from '@trunkline/transport-core';
import {
  inMs,
  reasonError,
  type StreamConnection,
  type StreamLayer,
} from '@trunkline/transport-core/backend';

/** A dial in progress. */
export interface MemoryDial {
  connected(near: StreamConnection): void;
  failed(error: TransportError): void;
  /** Returns true if the dial is still pending: not aborted, timed out or otherwise settled. */
  wanted(): boolean;
}

/** Base class of the stream layers within this process. */
export abstract class MemoryLayer implements StreamLayer {
  readonly clock: Clock;
  private readonly advertised: string | undefined;
  private accepting: ((connection: StreamConnection) => void) | undefined;
  private bound: string | undefined;
  /** Functions that make the pending dials fail. */
  private readonly dials = new Set<(error: TransportError) => void>();

  constructor(clock: Clock, advertiseAddr: string | undefined) {
    this.clock = clock;
    this.advertised = advertiseAddr;
  }

  /** Starts listening and returns the address. Throws a TransportError if that is impossible. */
  protected abstract bind(): string;
  protected abstract unbind(): void;
  /** Throws `invalid_argument` if this is not an address of the layer. */
  protected abstract check(address: string): void;
  /** Finds the target of a dial and connects, in a turn of its own. */
  protected abstract reach(address: string, dial: MemoryDial): void;

  async listen(accept: (connection: StreamConnection) => void): Promise<void> {
    if (this.accepting !== undefined)
      throw new TransportError(
        'failed_precondition',
        `Already listening on ${this.bound}: close() first`,
      );
    this.bound = this.bind();
    this.accepting = accept;
  }

  get isListening(): boolean {
    return this.accepting !== undefined;
  }

  /** Receives a dialed connection. Destroys it if the layer no longer listens. */
  accept(connection: StreamConnection): void {
    if (this.accepting === undefined) connection.destroy();
    else this.accepting(connection);
  }

  dial(
    address: string,
    options: { timeout: number; signal?: AbortSignal | undefined },
  ): Promise<StreamConnection> {
    const { timeout, signal } = options;
    return new Promise((resolve, reject) => {
      this.check(address);
      if (signal?.aborted) return reject(signal.reason);
      let over = false;
      const settle = () => {
        over = true;
        this.clock.clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.dials.delete(fail);
      };
      const fail = (error: unknown) => {
        settle();
        reject(error);
      };
      const onAbort = () => fail(signal?.reason);
      const timer = this.clock.setTimeout(
        () =>
          fail(
            reasonError(
              'dial_timeout',
              `Cannot connect to ${address}: no answer within ${inMs(timeout)} (dialTimeout)`,
              { target: address },
            ),
          ),
        timeout,
      );
      this.dials.add(fail);
      signal?.addEventListener('abort', onAbort, { once: true });
      const connected = (near: StreamConnection) => {
        settle();
        resolve(near);
      };
      this.reach(address, { connected, failed: fail, wanted: () => !over });
    });
  }

  checkAddress(address: string): void {
    this.check(address);
  }

  localAddr(): string {
    if (this.bound === undefined)
      throw new TransportError('failed_precondition', 'Not listening yet: await listen() first');
    return this.bound;
  }

  advertiseAddr(): string {
    return this.advertised ?? this.localAddr();
  }

  async close(): Promise<void> {
    for (const fail of [...this.dials])
      fail(new TransportError('shutdown', 'The dial was cancelled: the layer was closed'));
    if (this.accepting === undefined) return;
    this.accepting = undefined;
    this.bound = undefined;
    this.unbind();
  }
}
