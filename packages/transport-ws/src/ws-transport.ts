// A stream layer over WebSocket, whichever it is, as a Transport and as a backend.

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
  type StreamLayer,
  systemClock,
  type Transport,
  text,
} from '@trunkline/transport-core';
import { checkWsOptions, type HttpServer, type WsStreamLayerOptions, type WsTransportOptions } from './ws-options.ts';

/** What `ws()` can be told. */
export type WsBackendOptions = Pick<WsStreamLayerOptions, 'path' | 'server' | 'origins'>;

type CreateLayer = (options: WsStreamLayerOptions) => StreamLayer;

export function wsTransport<P extends Protocol>(options: WsTransportOptions<P>, createLayer: CreateLayer): Transport<P> {
  const { bindAddr, advertiseAddr, path, server: _server, origins: _origins, ...common } = parseOptions(schema, options, 'createWsTransport');
  const { protocol, server, origins, observer, clock = systemClock } = options;
  const stream = createLayer({ bindAddr, advertiseAddr, path, server, origins, clock, observer });
  return new NetworkTransport<P>({ ...(common as CommonOptions), protocol, stream, clock });
}

export function wsBackend(options: WsBackendOptions, createLayer: CreateLayer): Backend {
  const { path, server, origins } = options;
  checkWsOptions(options);
  return {
    schemes: ['ws', 'wss'],
    layer({ bindAddr, advertiseAddr, clock, observer }) {
      if (server === undefined) return createLayer({ bindAddr, advertiseAddr, path, origins, clock, observer });
      const given = bindAddr === undefined ? undefined : /^wss?:\/\/[^/?#]*(\/[^?#]*)/i.exec(bindAddr)?.[1];
      return createLayer({ server, advertiseAddr, path: given ?? path, origins, clock, observer });
    },
  };
}

const schema = extendOptions(commonOptions, {
  protocol: reference<Protocol>(isProtocol, 'a protocol made by defineProtocol'),
  bindAddr: optional(text()),
  advertiseAddr: optional(text()),
  path: optional(text()),
  server: optional(reference<HttpServer>((value) => typeof (value as HttpServer | null)?.address === 'function', 'an http or https server')),
  origins: optional(reference<readonly string[]>(Array.isArray, "a list of origins, such as ['https://app.example']")),
});
