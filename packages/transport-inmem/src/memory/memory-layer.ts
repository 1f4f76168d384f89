// Listening and dialing within this process, for `transport-inmem` and the simulation. The layer
// owns its pending dials. Subclasses decide how a dial reaches its target, and what connections
// carry.

import { type Clock, TransportError } from '@trunkline/transport-core';
import {
  type DialOptions,
  type PendingDial,
  PendingDials,
  type StreamConnection,
  type StreamLayer,
} from '@trunkline/transport-core/backend';

/** Base class of the stream layers within this process. */
export abstract class MemoryLayer implements StreamLayer {
  readonly clock: Clock;
  private readonly advertised: string | undefined;
  private accepting: ((connection: StreamConnection) => void) | undefined;
  private bound: string | undefined;
  private readonly dials: PendingDials;

  constructor(clock: Clock, advertiseAddr: string | undefined) {
    this.clock = clock;
    this.dials = new PendingDials(clock);
    this.advertised = advertiseAddr;
  }

  /** Starts listening and returns the address. Throws a TransportError if that is impossible. */
  protected abstract bind(): string;
  /** Stops listening. Called only after `bind` has succeeded. */
  protected abstract unbind(): void;
  /** Throws `invalid_argument` if this is not an address of the layer. */
  protected abstract check(address: string): void;
  /**
   * Finds the target of a dial and connects, later than in this call; then calls `connected` or
   * `failed` of `dial`. Called after `check`. Only an error thrown within this call fails the dial.
   */
  protected abstract reach(address: string, dial: PendingDial): void;

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

  /**
   * Receives the far end of a connection that another layer has dialed. Destroys it if this layer
   * no longer listens.
   */
  accept(connection: StreamConnection): void {
    if (this.accepting === undefined) connection.destroy();
    else this.accepting(connection);
  }

  dial(address: string, options: DialOptions): Promise<StreamConnection> {
    return this.dials.open(address, options, (dial) => {
      this.check(address);
      this.reach(address, dial);
      return undefined;
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
    this.dials.close();
    if (this.accepting === undefined) return;
    this.accepting = undefined;
    this.bound = undefined;
    this.unbind();
  }
}
