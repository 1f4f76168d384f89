// The direct transport for unit tests: tests decide who may dial whom, and no byte stream lies in
// between.

import {
  type CommonOptions,
  type Protocol,
  systemClock,
  systemRandom,
  type Target,
} from '@trunkline/transport-core';
import {
  commonOptions,
  extendOptions,
  isProtocol,
  NetworkTransport,
  optional,
  parseOptions,
  reference,
  type StreamLayer,
  text,
} from '@trunkline/transport-core/backend';
import { randomName } from '../memory/random-name.ts';
import { DirectLayer } from './direct-layer.ts';

/** Options of a direct transport; `protocol` is required. */
export interface InmemTransportOptions<P extends Protocol> extends CommonOptions {
  /** The protocol that the transport speaks; `mount` adds others. */
  readonly protocol: P;
  /** The transport's own address; any string. Default: a random one. */
  readonly addr?: string | undefined;
}

/**
 * Creates an in-memory transport for unit tests. Messages are encoded, copied, queued and timed as
 * on a real network, so code that works in memory also works on a network. The transport can dial
 * only the transports given to `connect`; once a connection exists, both ends can call over it.
 */
export function createInmemTransport<P extends Protocol>(
  options: InmemTransportOptions<P>,
): InmemTransport<P> {
  return new InmemTransport(options);
}

/** Connects every pair of transports, in both directions. */
export function connectAll(...transports: InmemTransport<any>[]): void {
  for (const one of transports) {
    for (const other of transports) if (one !== other) one.connect(other.addr, other);
  }
}

/** A transport made by {@link createInmemTransport}. */
export class InmemTransport<P extends Protocol> extends NetworkTransport<P> {
  /** The transport's own address, given or random. Known before `listen`. */
  readonly addr: string;
  readonly #layer: DirectLayer;

  /** @param wrap wraps the layer below the transport; for tests. */
  constructor(
    options: InmemTransportOptions<P>,
    wrap = (layer: StreamLayer): StreamLayer => layer,
  ) {
    const { addr, ...common } = parseOptions(schema, options, 'createInmemTransport');
    const { clock = systemClock, random = systemRandom } = options;
    const layer = new DirectLayer(addr ?? randomName(random), clock);
    super({
      ...(common as CommonOptions),
      protocol: options.protocol,
      stream: wrap(layer),
      clock,
      random,
    });
    this.#layer = layer;
    this.addr = layer.address;
  }

  /**
   * Lets this transport dial `transport` at the address `peerAddr`. The other direction needs a
   * `connect` of its own.
   */
  connect(peerAddr: string, transport: InmemTransport<any>): void {
    if (typeof peerAddr !== 'string' || peerAddr === '')
      throw new TypeError(
        `connect: the first argument must be an address, got ${String(peerAddr)}`,
      );
    if (!(transport instanceof InmemTransport))
      throw new TypeError(
        'connect: the second argument must be a transport made by createInmemTransport',
      );
    this.#layer.link(peerAddr, transport.#layer);
  }

  /**
   * Disconnects as every transport does, and also removes the link: calls to the target fail with
   * `unavailable` until the next `connect`.
   */
  override disconnect(target: Target, reason?: string): Promise<void> {
    if (typeof target === 'string') this.#layer.unlink(target);
    else if (target.direction === 'out') this.#layer.unlink(target.endpoint);
    return super.disconnect(target, reason);
  }

  /**
   * Removes all links of this transport and closes all its connections, including those that others
   * have dialed.
   */
  disconnectAll(): Promise<void> {
    this.#layer.unlinkAll();
    return this.closeStreams();
  }
}

const schema = extendOptions(commonOptions, {
  protocol: reference<Protocol>(isProtocol, 'a protocol made by defineProtocol'),
  addr: optional(text()),
});
