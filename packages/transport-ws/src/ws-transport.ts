// Turns any WebSocket stream layer, of Node or of the browser, into a Transport and into a backend.

import {
  type Backend,
  type CommonOptions,
  type Protocol,
  systemClock,
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
  type TraceChannels,
  text,
} from '@trunkline/transport-core/backend';
import {
  checkWsOptions,
  type HttpServer,
  type TlsUpdates,
  type WsStreamLayer,
  type WsStreamLayerOptions,
  type WsTransport,
  type WsTransportOptions,
} from './ws-options.ts';

/** Options of `ws()`. */
export type WsBackendOptions = Pick<
  WsStreamLayerOptions,
  'path' | 'reusePort' | 'server' | 'origins' | 'hosts' | 'tls'
>;

/**
 * A backend for 'ws://host:port/path' and 'wss://…'; `updateTls` applies to all its transports.
 */
export interface WsBackend extends Backend, TlsUpdates {}

/** Creates a layer. The options lack `tls`, because each creator handles it by itself. */
type CreateLayer = (options: Omit<WsStreamLayerOptions, 'tls'>) => WsStreamLayer;

export function wsTransport<P extends Protocol>(
  options: WsTransportOptions<P>,
  createLayer: CreateLayer,
  channels?: TraceChannels,
): WsTransport<P> {
  const {
    bindAddr,
    advertiseAddr,
    reusePort,
    path,
    server: _server,
    origins: _origins,
    hosts: _hosts,
    tls: _tls,
    ...common
  } = parseOptions(schema, options, 'createWsTransport');
  const { protocol, server, origins, hosts, observer, clock = systemClock } = options;
  const stream = createLayer({
    bindAddr,
    advertiseAddr,
    reusePort,
    path,
    server,
    origins,
    hosts,
    clock,
    observer,
  });
  checkAdvertised(stream, advertiseAddr, 'createWsTransport: advertiseAddr');
  return new OverWs<P>({ ...(common as CommonOptions), protocol, stream, clock, channels });
}

class OverWs<P extends Protocol> extends NetworkTransport<P> implements WsTransport<P> {
  readonly #stream: WsStreamLayer;

  constructor(options: NetworkTransportOptions<P> & { stream: WsStreamLayer }) {
    super(options);
    this.#stream = options.stream;
  }

  updateTls(update: TlsUpdate): Promise<void> {
    return this.#stream.updateTls(update);
  }
}

export function wsBackend(
  options: WsBackendOptions,
  createLayer: CreateLayer,
  channels?: TraceChannels,
): WsBackend {
  const { path, reusePort, server, origins, hosts } = options;
  checkWsOptions(options);
  return {
    schemes: ['ws', 'wss'],
    channels,
    layer({ bindAddr, advertiseAddr, clock, observer }) {
      if (server === undefined)
        return createLayer({
          bindAddr,
          advertiseAddr,
          reusePort,
          path,
          origins,
          hosts,
          clock,
          observer,
        });
      const given =
        bindAddr === undefined ? undefined : /^wss?:\/\/[^/?#]*(\/[^?#]*)/i.exec(bindAddr)?.[1];
      return createLayer({
        server,
        advertiseAddr,
        path: given ?? path,
        origins,
        hosts,
        clock,
        observer,
      });
    },
    updateTls: (update) => createLayer({}).updateTls(update),
  };
}

const schema = extendOptions(commonOptions, {
  protocol: reference<Protocol>(isProtocol, 'a protocol made by defineProtocol'),
  bindAddr: optional(text()),
  advertiseAddr: optional(text()),
  reusePort: optional(reference<boolean>((value) => typeof value === 'boolean', 'true or false')),
  path: optional(text()),
  server: optional(
    reference<HttpServer>(
      (value) => typeof (value as HttpServer | null)?.address === 'function',
      'an http or https server',
    ),
  ),
  origins: optional(
    reference<readonly string[]>(
      Array.isArray,
      "a list of origins, such as ['https://app.example']",
    ),
  ),
  hosts: optional(reference<readonly string[]>(Array.isArray, 'a list of host names')),
  tls: optional(
    reference<TlsOptions>(
      (value) => typeof value === 'object' && value !== null,
      'an object: { key, cert, ca?, allow?, deny? }',
    ),
  ),
});
