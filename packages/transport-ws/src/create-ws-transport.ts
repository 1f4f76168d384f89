// WebSocket as a Transport and as a backend of createTransport, in Node.

import type { Protocol } from '@trunkline/transport-core';
import { MutualTls, nodeChannels } from '@trunkline/transport-core/node';
import { checkHosts } from './hosts.ts';
import { WsLayer } from './ws-layer.ts';
import type { WsTransport, WsTransportOptions } from './ws-options.ts';
import { type WsBackend, type WsBackendOptions, wsBackend, wsTransport } from './ws-transport.ts';

/**
 * Creates a transport over WebSocket. Targets and its own addresses have the form
 * '[nodeId@]ws://host:port/path', or 'wss://…' with TLS.
 */
export function createWsTransport<P extends Protocol>(
  options: WsTransportOptions<P>,
): WsTransport<P> {
  const tls = options.tls && new MutualTls(options.tls, 'createWsTransport');
  return wsTransport(options, (given) => new WsLayer(given, tls), nodeChannels);
}

/**
 * Creates a backend for 'ws://host:port/path' and 'wss://…'. With `server`, only the path of an
 * address is used, because the server determines the port.
 */
export function ws(options: WsBackendOptions = {}): WsBackend {
  checkHosts(options.hosts);
  const tls = options.tls && new MutualTls(options.tls, 'ws');
  return wsBackend(options, (given) => new WsLayer(given, tls), nodeChannels);
}
