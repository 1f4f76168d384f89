// WebSocket as a Transport, and as a backend of createTransport: in Node.

import { MutualTls } from '@trunkline/mutual-tls';
import type { Protocol } from '@trunkline/transport-core';
import { checkHosts } from './hosts.ts';
import { WsLayer } from './ws-layer.ts';
import type { WsTransport, WsTransportOptions } from './ws-options.ts';
import { type WsBackend, type WsBackendOptions, wsBackend, wsTransport } from './ws-transport.ts';

/** A transport over WebSocket. Targets and its own addresses are '[nodeId@]ws://host:port/path', 'wss://…' where TLS is beneath. */
export function createWsTransport<P extends Protocol>(options: WsTransportOptions<P>): WsTransport<P> {
  const tls = options.tls && new MutualTls(options.tls, 'createWsTransport');
  return wsTransport(options, (given) => new WsLayer(given, tls));
}

/** A backend for 'ws://host:port/path' and 'wss://…'. With `server` the path of an address counts, and its port is the server's. */
export function ws(options: WsBackendOptions = {}): WsBackend {
  checkHosts(options.hosts);
  const tls = options.tls && new MutualTls(options.tls, 'ws');
  return wsBackend(options, (given) => new WsLayer(given, tls));
}
