// The browser build of this package: the same exports as in Node, but they can only dial.

import type { Protocol } from '@trunkline/transport-core';
import { checkAdvertised } from '@trunkline/transport-core/backend';
import { createNativeStreamLayer } from './native-stream-layer.ts';
import type {
  WsStreamLayer,
  WsStreamLayerOptions,
  WsTransport,
  WsTransportOptions,
} from './ws-options.ts';
import { type WsBackend, type WsBackendOptions, wsBackend, wsTransport } from './ws-transport.ts';

/**
 * Creates a stream layer over the browser's WebSocket. `listen` fails with `unimplemented`, and
 * options that concern listening have no effect.
 */
export function createWsStreamLayer(options: WsStreamLayerOptions = {}): WsStreamLayer {
  refuseTls(options, 'createWsStreamLayer');
  const layer = createNativeStreamLayer({
    advertiseAddr: options.advertiseAddr,
    clock: options.clock,
  });
  checkAdvertised(layer, options.advertiseAddr, 'createWsStreamLayer: advertiseAddr');
  return layer;
}

export function createWsTransport<P extends Protocol>(
  options: WsTransportOptions<P>,
): WsTransport<P> {
  refuseTls(options, 'createWsTransport');
  return wsTransport(options, createNativeStreamLayer);
}

export function ws(options: WsBackendOptions = {}): WsBackend {
  refuseTls(options, 'ws');
  return wsBackend(options, createNativeStreamLayer);
}

function refuseTls({ tls }: Pick<WsStreamLayerOptions, 'tls'>, name: string): void {
  if (tls !== undefined)
    throw new TypeError(
      `${name}: tls: a page can't present a certificate; dial wss:// without it, and prove the user in 'hello'`,
    );
}
