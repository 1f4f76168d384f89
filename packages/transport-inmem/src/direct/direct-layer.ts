// Who may dial whom in memory: a layer knows those that `connect` told it of, and no one else.

import { type Clock, reasonError, type StreamConnection, type StreamLayer, TransportError } from '@trunkline/transport-core';
import { directPair } from './direct-connection.ts';

export class DirectLayer implements StreamLayer {
  readonly addr: string;
  readonly #clock: Clock;
  readonly #links = new Map<string, DirectLayer>();
  #accept: ((connection: StreamConnection) => void) | undefined;

  constructor(addr: string, clock: Clock) {
    this.addr = addr;
    this.#clock = clock;
  }

  /** From now on `address` reaches `layer`. */
  connect(address: string, layer: DirectLayer): void {
    this.#links.set(address, layer);
  }

  /** Nothing is dialled there any more. */
  disconnect(address: string): void {
    this.#links.delete(address);
  }

  disconnectAll(): void {
    this.#links.clear();
  }

  async listen(accept: (connection: StreamConnection) => void): Promise<void> {
    if (this.#accept !== undefined) throw new TransportError('failed_precondition', `${this.addr} listens already: close() first`);
    this.#accept = accept;
  }

  dial(address: string, options: { timeout: number; signal?: AbortSignal | undefined }): Promise<StreamConnection> {
    const { signal } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      // Answered on another turn, as a network would; the link is looked at then and not before.
      this.#clock.defer(() => {
        if (signal?.aborted) return reject(signal.reason);
        const peer = this.#links.get(address);
        const accept = peer?.#accept;
        if (peer === undefined)
          return reject(refused(address, `${this.addr} has no link to '${address}': call connect('${address}', transport), or connectAll`));
        if (accept === undefined) return reject(refused(address, `nobody listens at '${address}': await listen() there first`));
        const [dialled, accepted] = directPair(this.addr, address, this.#clock);
        accept(accepted);
        resolve(dialled);
      });
    });
  }

  localAddr(): string {
    if (this.#accept === undefined) throw new TransportError('failed_precondition', `${this.addr} does not listen yet: await listen() first`);
    return this.addr;
  }

  advertiseAddr(): string {
    return this.localAddr();
  }

  async close(): Promise<void> {
    this.#accept = undefined;
  }
}

function refused(address: string, message: string): TransportError {
  return reasonError('connection_refused', message, { target: address });
}
