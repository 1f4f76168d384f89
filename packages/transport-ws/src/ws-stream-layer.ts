// Creates the WebSocket stream layer in Node, for code that composes layers.

import { checkAdvertised, parseOptions } from '@trunkline/transport-core/backend';
import { MutualTls } from '@trunkline/transport-core/node';
import { WsLayer } from './ws-layer.ts';
import { layerSchema, type WsStreamLayer, type WsStreamLayerOptions } from './ws-options.ts';

/**
 * Creates a StreamLayer over WebSocket. Addresses have the form 'ws://host:port/path', or 'wss://…'
 * with TLS.
 *
 * @throws TypeError that names an invalid option. The contents of `tls` are read later: `listen`
 * and dials reject with `invalid_argument` if they are unusable.
 */
export function createWsStreamLayer(options: WsStreamLayerOptions = {}): WsStreamLayer {
  parseOptions(layerSchema(), options, 'createWsStreamLayer');
  const layer = new WsLayer(
    options,
    options.tls && new MutualTls(options.tls, 'createWsStreamLayer'),
  );
  checkAdvertised(layer, options.advertiseAddr, 'createWsStreamLayer: advertiseAddr');
  return layer;
}
