// The pigeon post: streams between the parts of one process, over the MessagePorts of
// node:worker_threads.

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { type Backend, type Clock, systemClock, TransportError } from '@trunkline/transport-core';
import {
  reasonError,
  type StreamConnection,
  type StreamLayer,
} from '@trunkline/transport-core/backend';
import { PigeonConnection } from './pigeon-connection.ts';

/** A registry of lofts by name. You create the object yourself, so that two tests never meet. */
export interface PigeonPost {
  layer(options?: PigeonOptions): StreamLayer;
  /** Returns a backend for `createTransport`, with addresses such as 'pigeon://loft'. */
  backend(): Backend;
}

export interface PigeonOptions {
  /** The loft to listen at: 'north', with or without 'pigeon://'. Default: a free one. */
  readonly address?: string | undefined;
  /** The address that is sent to other nodes, verbatim. Default: the loft. */
  readonly advertiseAddr?: string | undefined;
  /** The clock. Default: the system's. */
  readonly clock?: Clock | undefined;
}

export function createPigeonPost(): PigeonPost {
  const lofts = new Map<string, MessagePort>();
  let free = 0;
  const layer = ({ address = `loft-${++free}`, ...options }: PigeonOptions = {}) =>
    new PigeonLayer(lofts, { ...options, address });
  return {
    layer,
    backend: () => ({
      schemes: ['pigeon'],
      layer: ({ bindAddr, advertiseAddr, clock }) =>
        layer({ address: bindAddr, advertiseAddr, clock }),
    }),
  };
}

/** A message from a dialer to a loft: one end of a new channel between the two. */
interface Call {
  readonly port: MessagePort;
  readonly from: string;
}

class PigeonLayer implements StreamLayer {
  readonly #lofts: Map<string, MessagePort>;
  readonly #address: string;
  readonly #advertiseAddr: string | undefined;
  readonly #clock: Clock;
  /** Set while the layer listens. */
  #listener: { readonly loft: string; readonly port: MessagePort } | undefined;
  /** A function for each pending dial that ends it. */
  readonly #dials = new Set<(error: TransportError) => void>();

  constructor(
    lofts: Map<string, MessagePort>,
    { address, advertiseAddr, clock = systemClock }: PigeonOptions & { readonly address: string },
  ) {
    this.#lofts = lofts;
    this.#address = address;
    this.#advertiseAddr = advertiseAddr;
    this.#clock = clock;
  }

  async listen(accept: (connection: StreamConnection) => void): Promise<void> {
    if (this.#listener !== undefined)
      throw new TransportError(
        'failed_precondition',
        `Already listening at ${this.#listener.loft}: close() first`,
      );
    const address = this.#address;
    const loft = parse(address, 'listen at');
    if (this.#lofts.has(loft)) {
      throw reasonError(
        'address_in_use',
        `Cannot listen at ${address}: somebody does; close that, or take another loft`,
        { target: address },
      );
    }
    const { port1: port, port2: entrance } = new MessageChannel();
    port.on('message', (call: Call) => {
      call.port.postMessage('welcome');
      accept(new PigeonConnection(call.port, call.from, this.#clock));
    });
    this.#listener = { loft, port };
    this.#lofts.set(loft, entrance);
  }

  dial(
    address: string,
    { timeout, signal }: { timeout: number; signal?: AbortSignal | undefined },
  ): Promise<StreamConnection> {
    return new Promise((resolve, reject) => {
      const loft = parse(address, 'dial');
      if (signal?.aborted) return reject(signal.reason);
      const entrance = this.#lofts.get(loft);
      const refused = () =>
        reasonError(
          'connection_refused',
          `Cannot connect to ${address}: nothing listens on this address; is the peer running?`,
          { target: address },
        );
      if (entrance === undefined) return reject(refused());

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
        resolve(new PigeonConnection(port, address, this.#clock));
      });
      const call: Call = { port: theirs, from: `a pigeon to ${loft}` };
      entrance.postMessage(call, [theirs]);
    });
  }

  localAddr(): string {
    if (this.#listener === undefined)
      throw new TransportError('failed_precondition', 'Not listening yet: await listen() first');
    return this.#listener.loft;
  }

  advertiseAddr(): string {
    return this.#advertiseAddr ?? this.localAddr();
  }

  async close(): Promise<void> {
    for (const fail of [...this.#dials])
      fail(new TransportError('shutdown', 'The dial was cancelled: the layer was closed'));
    const { loft, port } = this.#listener ?? {};
    this.#listener = undefined;
    if (loft !== undefined) this.#lofts.delete(loft);
    port?.close();
  }
}

function parse(address: string, action: string): string {
  const loft = /^(?:pigeon:\/\/)?([\w.-]+)$/i.exec(address)?.[1];
  if (loft !== undefined) return loft;
  throw new TransportError(
    'invalid_argument',
    `Cannot ${action} '${address}': a loft is named by letters, digits, '.', '_' and '-'`,
    { target: address },
  );
}
