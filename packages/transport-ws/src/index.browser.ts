// What a browser gets of this package: the same names, dialling only.

import type { Backend, Protocol, StreamLayer, Transport } from '@trunkline/transport-core';
import { createNativeStreamLayer } from './native-stream-layer.ts';
import type { WsStreamLayerOptions, WsTransportOptions } from './ws-options.ts';
import { type WsBackendOptions, wsBackend, wsTransport } from './ws-transport.ts';

/** As in Node, over the WebSocket of the browser; `listen` is `unimplemented`, and what concerns listening has no effect. */
export function createWsStreamLayer(options: WsStreamLayerOptions = {}): StreamLayer {
  return createNativeStreamLayer({ advertiseAddr: options.advertiseAddr, clock: options.clock });
}

export function createWsTransport<P extends Protocol>(options: WsTransportOptions<P>): Transport<P> {
  return wsTransport(options, createWsStreamLayer);
}

export function ws(options: WsBackendOptions = {}): Backend {
  return wsBackend(options, createWsStreamLayer);
}
