// The direct in-memory transport: Babble's Inmem with connect and disconnect. Calls are encoded and copied, obey the same deadlines and
// bounds, and pass the same suite as any other; only the bytes of frames are spared.

import {
  type CommonOptions,
  isProtocol,
  NetworkTransport,
  optional,
  optionsSchema,
  type Protocol,
  parseOptions,
  type Random,
  systemClock,
  systemRandom,
  type Target,
  text,
} from '@trunkline/transport-core';
import { DirectLayer } from './direct-layer.ts';

/** Options of `createInmemTransport`; `protocol` is required. */
export interface InmemTransportOptions<P extends Protocol> extends CommonOptions {
  readonly protocol: P;
  /** Its address: any name. Default a random UUID. */
  readonly addr?: string | undefined;
}

/** A transport whose peers are those that `connect` names. */
export class InmemTransport<P extends Protocol = Protocol> extends NetworkTransport<P> {
  readonly #layer: DirectLayer;

  constructor(options: InmemTransportOptions<P>) {
    const { addr, ...rest } = (options ?? {}) as InmemTransportOptions<P>;
    if (!isProtocol(rest.protocol)) throw new TypeError('createInmemTransport: protocol: is required: must be a protocol made by defineProtocol');
    const { addr: name = uuid(options.random ?? systemRandom) } = parseOptions(addrSchema, { addr }, 'createInmemTransport');
    const layer = new DirectLayer(name, options.clock ?? systemClock);
    super({ ...rest, stream: layer });
    this.#layer = layer;
  }

  /** Its own address, also before it listens. */
  get addr(): string {
    return this.#layer.addr;
  }

  /**
   * From now on calls to `peerAddr` reach `peer` (which must listen). A link is one-way in who may dial; over a connection both ends
   * call.
   */
  connect(peerAddr: string, peer: InmemTransport<any>): void {
    this.#layer.connect(peerAddr, peer.#layer);
  }

  /** As the contract has it, and the link goes too: sends are `unavailable` until `connect`. */
  override async disconnect(target: Target, reason?: string): Promise<void> {
    if (typeof target === 'string') this.#layer.disconnect(target);
    await super.disconnect(target, reason);
  }

  /** Removes every link and closes every connection. */
  async disconnectAll(): Promise<void> {
    this.#layer.disconnectAll();
    await this.closeStreams();
  }
}

/** A transport in memory. Make links by `connect` or `connectAll`; `listen()` as with any other. */
export function createInmemTransport<P extends Protocol>(options: InmemTransportOptions<P>): InmemTransport<P> {
  return new InmemTransport(options);
}

/** Links every pair, both ways, by their own addresses. */
export function connectAll(...transports: InmemTransport<any>[]): void {
  for (const from of transports) for (const to of transports) if (from !== to) from.connect(to.addr, to);
}

const addrSchema = optionsSchema({ addr: optional(text()) });

/** A random (version 4) UUID. */
function uuid(random: Random): string {
  const digit = (most: number, add = 0) => (Math.floor(random() * most) + add).toString(16);
  return 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx'.replace(/[xy]/g, (c) => (c === 'x' ? digit(16) : digit(4, 8)));
}
