// TCP as a Transport and as a backend of createTransport.

import {
  type Backend,
  type CommonOptions,
  type Protocol,
  systemClock,
  type Transport,
} from '@trunkline/transport-core';
import {
  checkAdvertised,
  commonOptions,
  extendOptions,
  isProtocol,
  NetworkTransport,
  type NetworkTransportOptions,
  optional,
  parseOptions,
  reference,
  type TlsOptions,
  type TlsUpdate,
  text,
} from '@trunkline/transport-core/backend';
import { isTlsOptions, MutualTls, nodeChannels, updateTls } from '@trunkline/transport-core/node';
import { TcpLayer } from './tcp-layer.ts';
import type { TcpStreamLayer, TcpStreamLayerOptions } from './tcp-options.ts';

/** Options of a transport over TCP; `protocol` is required. */
export interface TcpTransportOptions<P extends Protocol> extends CommonOptions {
  /** The protocol that the transport speaks; `mount` adds others. */
  readonly protocol: P;
  /**
   * The address to bind: 'host:port', with or without 'tcp://'; IPv6 in brackets; port 0 picks a
   * free one. Default: '127.0.0.1:0'.
   */
  readonly bindAddr?: string | undefined;
  /**
   * The address at which others reach this transport; it is sent to them verbatim. Default: the
   * bound address. Required if `bindAddr` is 0.0.0.0, :: or ':7000'. An address that cannot be
   * dialed (another scheme, no port, port 0) throws a TypeError.
   */
  readonly advertiseAddr?: string | undefined;
  /**
   * True to let several listeners share this port, each in a thread or process of its own, where
   * Node and the system support it (Node 22.12 or newer, on Linux among others); the kernel spreads
   * the connections over them. Elsewhere the second listener gets `address_in_use`. Port 0 is then
   * refused. Default: false, except in the threads of a cluster (TRUNKLINE_REUSE_PORT=1).
   */
  readonly reusePort?: boolean | undefined;
  /** Mutual TLS 1.3: both ends prove their node ids. Default: plain TCP. */
  readonly tls?: TlsOptions | undefined;
}

/** A transport over TCP, whose TLS keys and lists can be changed while it runs. */
export interface TcpTransport<P extends Protocol> extends Transport<P> {
  /**
   * Changes key, certificate, authorities or lists while the transport runs. The changes apply
   * immediately to new connections. Existing connections to nodes that are now denied, or no longer
   * allowed, are aborted (with `permission_denied`, reason `denied`, at both ends); the others
   * stay. Rejects with `invalid_argument` if the update is unusable, and with `failed_precondition`
   * without `tls`; in both cases nothing changes.
   */
  updateTls(update: TlsUpdate): Promise<void>;
}

/**
 * Creates a transport over TCP. Targets have the form '[nodeId@]host:port', with or without
 * 'tcp://'; `localAddr()` has no scheme.
 */
export function createTcpTransport<P extends Protocol>(
  options: TcpTransportOptions<P>,
): TcpTransport<P> {
  const {
    bindAddr,
    advertiseAddr,
    reusePort,
    tls: _tls,
    ...common
  } = parseOptions(schema, options, 'createTcpTransport');
  const { protocol, observer, clock = systemClock } = options;
  const tls = options.tls && new MutualTls(options.tls, 'createTcpTransport');
  const stream = new TcpLayer({ bindAddr, advertiseAddr, reusePort, clock, observer }, tls);
  checkAdvertised(stream, advertiseAddr, 'createTcpTransport: advertiseAddr');
  return new OverTcp<P>({
    ...(common as CommonOptions),
    protocol,
    stream,
    clock,
    channels: nodeChannels,
  });
}

class OverTcp<P extends Protocol> extends NetworkTransport<P> implements TcpTransport<P> {
  readonly #stream: TcpStreamLayer;

  constructor(options: NetworkTransportOptions<P> & { stream: TcpStreamLayer }) {
    super(options);
    this.#stream = options.stream;
  }

  updateTls(update: TlsUpdate): Promise<void> {
    return this.#stream.updateTls(update);
  }
}

/** Options of `tcp()`. */
export type TcpBackendOptions = Pick<TcpStreamLayerOptions, 'keepAlive' | 'reusePort' | 'tls'>;

/** A backend for 'tcp://host:port'; `updateTls` acts on all its transports. */
export interface TcpBackend extends Backend, Pick<TcpStreamLayer, 'updateTls'> {}

/** Creates a backend for 'tcp://host:port'. */
export function tcp(options: TcpBackendOptions = {}): TcpBackend {
  const { keepAlive, reusePort } = options;
  const tls = options.tls && new MutualTls(options.tls, 'tcp');
  new TcpLayer({ keepAlive, reusePort }, tls); // Checks the options.
  return {
    schemes: ['tcp'],
    channels: nodeChannels,
    layer: ({ bindAddr, advertiseAddr, clock, observer }) =>
      new TcpLayer({ bindAddr, advertiseAddr, clock, observer, keepAlive, reusePort }, tls),
    updateTls: async (update) => updateTls(tls, update),
  };
}

const schema = extendOptions(commonOptions, {
  protocol: reference<Protocol>(isProtocol, 'a protocol made by defineProtocol'),
  bindAddr: optional(text()),
  advertiseAddr: optional(text()),
  reusePort: optional(reference<boolean>((value) => typeof value === 'boolean', 'true or false')),
  tls: optional(
    reference<TlsOptions>(isTlsOptions, 'an object: { key, cert, ca?, allow?, deny? }'),
  ),
});
