// Message ports: streams between the parts of one process, over the MessagePorts of
// node:worker_threads.

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { type Backend, type Clock, systemClock, TransportError } from '@trunkline/transport-core';
import {
  reasonError,
  type StreamConnection,
  type StreamLayer,
} from '@trunkline/transport-core/backend';
import { PortConnection } from './port-connection.ts';

/** The listeners by name. You create the object yourself, so that two tests never meet. */
export interface PortNetwork {
  layer(options?: PortOptions): StreamLayer;
  /** Returns a backend for `createTransport`, with addresses such as 'port://north'. */
  backend(): Backend;
}

export interface PortOptions {
  /** The name to listen at: 'north', with or without 'port://'. Default: a free one. */
  readonly address?: string | undefined;
  /** The address that is sent to other nodes, verbatim. Default: the name. */
  readonly advertiseAddr?: string | undefined;
  /** The clock. Default: the system's. */
  readonly clock?: Clock | undefined;
}

export function createPortNetwork(): PortNetwork {
  const listeners = new Map<string, MessagePort>();
  let free = 0;
  const layer = ({ address = `port-${++free}`, ...options }: PortOptions = {}) =>
    new PortLayer(listeners, { ...options, address });
  return {
    layer,
    backend: () => ({
      schemes: ['port'],
      layer: ({ bindAddr, advertiseAddr, clock }) =>
        layer({ address: bindAddr, advertiseAddr, clock }),
    }),
  };
}

/** A message from a dialer to a listener: one end of a new channel between the two. */
interface Dial {
  readonly port: MessagePort;
  readonly from: string;
}

class PortLayer implements StreamLayer {
  readonly #listeners: Map<string, MessagePort>;
  readonly #address: string;
  readonly #advertiseAddr: string | undefined;
  readonly #clock: Clock;
  /** Set while the layer listens. */
  #listener: { readonly name: string; readonly port: MessagePort } | undefined;
  /** A function for each pending dial that ends it. */
  readonly #dials = new Set<(error: TransportError) => void>();

  constructor(
    listeners: Map<string, MessagePort>,
    { address, advertiseAddr, clock = systemClock }: PortOptions & { readonly address: string },
  ) {
    this.#listeners = listeners;
    this.#address = address;
    this.#advertiseAddr = advertiseAddr;
    this.#clock = clock;
  }

  async listen(accept: (connection: StreamConnection) => void): Promise<void> {
    if (this.#listener !== undefined)
      throw new TransportError(
        'failed_precondition',
        `Already listening at ${this.#listener.name}: close() first`,
      );
    const address = this.#address;
    const name = parse(address, 'listen at');
    if (this.#listeners.has(name)) {
      throw reasonError(
        'address_in_use',
        `Cannot listen at ${address}: the name is in use; close its listener, or choose another`,
        { target: address },
      );
    }
    const { port1: port, port2: listener } = new MessageChannel();
    port.on('message', (dial: Dial) => {
      dial.port.postMessage('accepted');
      accept(new PortConnection(dial.port, dial.from, this.#clock));
    });
    this.#listener = { name, port };
    this.#listeners.set(name, listener);
  }

  dial(
    address: string,
    { timeout, signal }: { timeout: number; signal?: AbortSignal | undefined },
  ): Promise<StreamConnection> {
    return new Promise((resolve, reject) => {
      const name = parse(address, 'dial');
      if (signal?.aborted) return reject(signal.reason);
      const listener = this.#listeners.get(name);
      const refused = () =>
        reasonError(
          'connection_refused',
          `Cannot connect to ${address}: nothing listens on this address; is the peer running?`,
          { target: address },
        );
      if (listener === undefined) return reject(refused());

      const { port1: port, port2: theirs } = new MessageChannel();
      const settle = () => {
        this.#clock.clearTimeout(timer);
        this.#dials.delete(fail);
        signal?.removeEventListener('abort', onAbort);
        port.removeAllListeners();
      };
      const fail = (error: unknown) => {
        settle();
        port.close();
        reject(error);
      };
      const onAbort = () => fail(signal?.reason);
      const late = () =>
        fail(
          reasonError(
            'dial_timeout',
            `Cannot connect to ${address}: no answer within ${timeout} ms (dialTimeout)`,
            { target: address },
          ),
        );
      const timer = this.#clock.setTimeout(late, timeout);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#dials.add(fail);
      port.on('close', () => fail(refused()));
      port.on('message', () => {
        settle();
        resolve(new PortConnection(port, address, this.#clock));
      });
      const dial: Dial = { port: theirs, from: `a dialer of ${name}` };
      listener.postMessage(dial, [theirs]);
    });
  }

  localAddr(): string {
    if (this.#listener === undefined)
      throw new TransportError('failed_precondition', 'Not listening yet: await listen() first');
    return this.#listener.name;
  }

  advertiseAddr(): string {
    return this.#advertiseAddr ?? this.localAddr();
  }

  async close(): Promise<void> {
    for (const fail of [...this.#dials])
      fail(new TransportError('shutdown', 'The dial was cancelled: the layer was closed'));
    const { name, port } = this.#listener ?? {};
    this.#listener = undefined;
    if (name !== undefined) this.#listeners.delete(name);
    port?.close();
  }
}

function parse(address: string, action: string): string {
  const name = /^(?:port:\/\/)?([\w.-]+)$/i.exec(address)?.[1];
  if (name !== undefined) return name;
  throw new TransportError(
    'invalid_argument',
    `Cannot ${action} '${address}': a name consists of letters, digits, '.', '_' and '-'`,
    { target: address },
  );
}
