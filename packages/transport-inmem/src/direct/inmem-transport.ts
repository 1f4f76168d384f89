// The direct transport: unit tests say who may dial whom, and no byte stream is in between.

import {
  type CommonOptions,
  commonOptions,
  extendOptions,
  isProtocol,
  NetworkTransport,
  optional,
  type Protocol,
  parseOptions,
  reference,
  type StreamLayer,
  systemClock,
  systemRandom,
  type Target,
  text,
} from '@trunkline/transport-core';
import { randomName } from '../memory/random-name.ts';
import { DirectLayer } from './direct-layer.ts';

/** Options of a direct transport; `protocol` is required. */
export interface InmemTransportOptions<P extends Protocol> extends CommonOptions {
  readonly protocol: P;
  /** Its address, any text. Default: a random one. */
  readonly addr?: string | undefined;
}

/**
 * A transport in memory for unit tests. Messages are encoded, copied, queued and timed as on a wire, so what passes here passes
 * there. It reaches only what it is connected to: a link says who may dial and is made by `connect` alone; over it both ends call.
 */
export function createInmemTransport<P extends Protocol>(options: InmemTransportOptions<P>): InmemTransport<P> {
  return new InmemTransport(options);
}

/** Connects every pair, both ways. */
export function connectAll(...transports: InmemTransport<any>[]): void {
  for (const one of transports) {
    for (const other of transports) if (one !== other) one.connect(other.addr, other);
  }
}

/** What `createInmemTransport` makes. */
export class InmemTransport<P extends Protocol> extends NetworkTransport<P> {
  /** Its address: what was given, or drawn. Known before `listen`. */
  readonly addr: string;
  readonly #layer: DirectLayer;

  /** @param wrap for tests: goes between the transport and its layer. */
  constructor(options: InmemTransportOptions<P>, wrap = (layer: StreamLayer): StreamLayer => layer) {
    const { addr, ...common } = parseOptions(schema, options, 'createInmemTransport');
    const { clock = systemClock, random = systemRandom } = options;
    const layer = new DirectLayer(addr ?? randomName(random), clock);
    super({ ...(common as CommonOptions), protocol: options.protocol, stream: wrap(layer), clock, random });
    this.#layer = layer;
    this.addr = layer.address;
  }

  /** From now on this transport dials `transport` where it is told to call `peerAddr`. The other way needs a `connect` of its own. */
  connect(peerAddr: string, transport: InmemTransport<any>): void {
    if (typeof peerAddr !== 'string' || peerAddr === '') throw new TypeError(`connect: the first argument is an address, got ${String(peerAddr)}`);
    if (!(transport instanceof InmemTransport)) throw new TypeError('connect: the second argument is a transport made by createInmemTransport');
    this.#layer.link(peerAddr, transport.#layer);
  }

  /** As every transport's; and the link is gone: calls to it are `unavailable` until `connect`. */
  override disconnect(target: Target, reason?: string): Promise<void> {
    if (typeof target === 'string') this.#layer.unlink(target);
    else if (target.direction === 'out') this.#layer.unlink(target.endpoint);
    return super.disconnect(target, reason);
  }

  /** Removes every link that this transport has, and closes every connection, those that others made included. */
  disconnectAll(): Promise<void> {
    this.#layer.unlinkAll();
    return this.closeStreams();
  }
}

const schema = extendOptions(commonOptions, {
  protocol: reference<Protocol>(isProtocol, 'a protocol made by defineProtocol'),
  addr: optional(text()),
});
