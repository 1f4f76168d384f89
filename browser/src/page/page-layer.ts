// A stream layer for suites that run in a page: it dials with another layer, natively, and listens
// in Node.

import { type Clock, TransportError } from '@trunkline/transport-core';
import type { DialOptions, StreamConnection, StreamLayer } from '@trunkline/transport-core/backend';
import { createWsStreamLayer } from '@trunkline/transport-ws/layer';
import type { NodeCalls, Place, PlainError } from '../node-calls.ts';

/** Calls a function of Node; a global that the test has added to the page. */
declare function nodeCall<N extends keyof NodeCalls>(
  name: N,
  ...args: Parameters<NodeCalls[N]>
): ReturnType<NodeCalls[N]>;

export class PageLayer implements StreamLayer {
  readonly clock: Clock;
  readonly #id = ++layers;
  readonly #place: Place;
  readonly #native: StreamLayer;
  #address: string | undefined;
  /** Distinguishes one time of listening from the next. */
  #times = 0;

  constructor(place: Place, native: StreamLayer, clock: Clock) {
    this.clock = clock;
    this.#place = place;
    this.#native = native;
  }

  async listen(accept: (connection: StreamConnection) => void): Promise<void> {
    const time = this.#times;
    const listened = await nodeCall('listen', this.#id, this.#place);
    if ('error' in listened) throw transportError(listened.error);
    if (time !== this.#times) throw new TransportError('shutdown', 'The layer was closed');
    this.#address = listened.address;
    void this.#acceptAll(accept, time);
  }

  dial(address: string, options: DialOptions): Promise<StreamConnection> {
    return this.#native.dial(address, options);
  }

  checkAddress(address: string): void {
    this.#native.checkAddress?.(address);
  }

  localAddr(): string {
    if (this.#address === undefined)
      throw new TransportError('failed_precondition', 'Not listening yet: await listen() first');
    return this.#address;
  }

  advertiseAddr(): string {
    return this.#place.advertiseAddr ?? this.localAddr();
  }

  async close(): Promise<void> {
    this.#times++;
    this.#address = undefined;
    await Promise.all([this.#native.close(), nodeCall('close', this.#id)]);
  }

  /** Takes the connections that Node accepts, one by one and in order. */
  async #acceptAll(accept: (connection: StreamConnection) => void, time: number): Promise<void> {
    const bridge = await nodeCall('bridge');
    for (;;) {
      const ticket = await nodeCall('accept', this.#id);
      if (ticket == null) return;
      const connection = await bridges.dial(bridge, { timeout: 20_000 });
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setUint32(0, ticket);
      connection.write(bytes);
      if (time !== this.#times) connection.destroy();
      else accept(connection);
    }
  }
}

let layers = 0;
const bridges = createWsStreamLayer();

export function transportError({ code, message, reason, target }: PlainError): TransportError {
  return new TransportError(code, message, { reason, target });
}
