// Listening and dialling in this process. How a dial gets there, and what a connection carries, is the subclasses' affair.

import { type Clock, reasonError, type StreamConnection, type StreamLayer, TransportError } from '@trunkline/transport-core';

/** A dial that is under way. */
export interface Dial {
  connected(near: StreamConnection): void;
  failed(error: TransportError): void;
  /** Does anybody wait for it yet? */
  wanted(): boolean;
}

export abstract class MemoryLayer implements StreamLayer {
  readonly clock: Clock;
  private readonly advertised: string | undefined;
  private accepting: ((connection: StreamConnection) => void) | undefined;
  private bound: string | undefined;
  /** What ends each pending dial. */
  private readonly dials = new Set<(error: TransportError) => void>();

  constructor(clock: Clock, advertiseAddr: string | undefined) {
    this.clock = clock;
    this.advertised = advertiseAddr;
  }

  /** Takes its address, and returns it; throws a TransportError where it can't. */
  protected abstract bind(): string;
  protected abstract unbind(): void;
  /** Throws `invalid_argument` for what is no address of this layer. */
  protected abstract check(address: string): void;
  /** Looks for who is meant, and connects, on a turn of its own. */
  protected abstract reach(address: string, dial: Dial): void;

  async listen(accept: (connection: StreamConnection) => void): Promise<void> {
    if (this.accepting !== undefined) throw new TransportError('failed_precondition', `Already listening on ${this.bound}: close() first`);
    this.bound = this.bind();
    this.accepting = accept;
  }

  get isListening(): boolean {
    return this.accepting !== undefined;
  }

  /** Somebody has dialled it; who came too late is cut off. */
  accept(connection: StreamConnection): void {
    if (this.accepting === undefined) connection.destroy();
    else this.accepting(connection);
  }

  dial(address: string, options: { timeout: number; signal?: AbortSignal | undefined }): Promise<StreamConnection> {
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
        () => fail(reasonError('dial_timeout', `Cannot connect to ${address}: no answer within ${timeout} ms (dialTimeout)`, { target: address })),
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
    if (this.bound === undefined) throw new TransportError('failed_precondition', 'Not listening yet: await listen() first');
    return this.bound;
  }

  advertiseAddr(): string {
    return this.advertised ?? this.localAddr();
  }

  async close(): Promise<void> {
    for (const fail of [...this.dials]) fail(new TransportError('shutdown', 'The dial was given up: the layer was closed'));
    if (this.accepting === undefined) return;
    this.accepting = undefined;
    this.bound = undefined;
    this.unbind();
  }
}
