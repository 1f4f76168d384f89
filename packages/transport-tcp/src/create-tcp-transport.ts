// TCP as a Transport, and as a backend of createTransport.

import {
  type Backend,
  type CommonOptions,
  commonOptions,
  extendOptions,
  isProtocol,
  NetworkTransport,
  optional,
  type Protocol,
  parseOptions,
  reference,
  systemClock,
  type Transport,
  text,
} from '@trunkline/transport-core';
import { createTcpStreamLayer, type TcpStreamLayerOptions } from './tcp-stream-layer.ts';

/** Options of a transport over TCP; `protocol` is required. */
export interface TcpTransportOptions<P extends Protocol> extends CommonOptions {
  readonly protocol: P;
  /** Where to listen: 'host:port', with or without 'tcp://'; IPv6 in brackets; port 0 picks a free one. Default '127.0.0.1:0'. */
  readonly bindAddr?: string | undefined;
  /** Where others reach it, told to them verbatim. Default: what is bound. Needed where `bindAddr` is 0.0.0.0, :: or ':7000'. */
  readonly advertiseAddr?: string | undefined;
}

/** A transport over TCP. Targets are 'host:port', with or without 'tcp://'; `localAddr()` has no scheme. */
export function createTcpTransport<P extends Protocol>(options: TcpTransportOptions<P>): Transport<P> {
  const { bindAddr, advertiseAddr, ...common } = parseOptions(schema, options, 'createTcpTransport');
  const { protocol, observer, clock = systemClock } = options;
  const stream = createTcpStreamLayer({ bindAddr, advertiseAddr, clock, observer });
  return new NetworkTransport<P>({ ...(common as CommonOptions), protocol, stream, clock });
}

/** A backend for 'tcp://host:port'. */
export function tcp(options: Pick<TcpStreamLayerOptions, 'keepAlive'> = {}): Backend {
  const { keepAlive } = options;
  createTcpStreamLayer({ keepAlive });
  return {
    schemes: ['tcp'],
    layer: ({ bindAddr, advertiseAddr, clock, observer }) => createTcpStreamLayer({ bindAddr, advertiseAddr, clock, observer, keepAlive }),
  };
}

const schema = extendOptions(commonOptions, {
  protocol: reference<Protocol>(isProtocol, 'a protocol made by defineProtocol'),
  bindAddr: optional(text()),
  advertiseAddr: optional(text()),
});
