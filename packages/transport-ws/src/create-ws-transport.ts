// WebSocket as a Transport, and as a backend of createTransport: in Node.

import type { Backend, Protocol, Transport } from '@trunkline/transport-core';
import type { WsTransportOptions } from './ws-options.ts';
import { createWsStreamLayer } from './ws-stream-layer.ts';
import { type WsBackendOptions, wsBackend, wsTransport } from './ws-transport.ts';

/** A transport over WebSocket. Targets and its own addresses are 'ws://host:port/path', 'wss://…' where TLS is beneath. */
export function createWsTransport<P extends Protocol>(options: WsTransportOptions<P>): Transport<P> {
  return wsTransport(options, createWsStreamLayer);
}

/** A backend for 'ws://host:port/path' and 'wss://…'. With `server` the path of an address counts, and its port is the server's. */
export function ws(options: WsBackendOptions = {}): Backend {
  return wsBackend(options, createWsStreamLayer);
}
