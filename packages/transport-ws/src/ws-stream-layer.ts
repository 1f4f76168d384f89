// The stream layer of Node, for those who compose layers.

import { MutualTls } from '@trunkline/mutual-tls';
import { checkAdvertised } from '@trunkline/transport-core';
import { WsLayer } from './ws-layer.ts';
import type { WsStreamLayer, WsStreamLayerOptions } from './ws-options.ts';

/** A StreamLayer over WebSocket. Addresses are 'ws://host:port/path', and 'wss://…' where TLS is beneath. */
export function createWsStreamLayer(options: WsStreamLayerOptions = {}): WsStreamLayer {
  const layer = new WsLayer(options, options.tls && new MutualTls(options.tls, 'createWsStreamLayer'));
  checkAdvertised(layer, options.advertiseAddr, 'createWsStreamLayer: advertiseAddr');
  return layer;
}
