// WebSocket as a stream layer in a browser: the same exports as in Node, but it can only dial.

import { checkAdvertised, parseOptions } from '@trunkline/transport-core/backend';
import { createNativeStreamLayer } from './native-stream-layer.ts';
import { refuseTls } from './refuse-tls.ts';
import { layerSchema, type WsStreamLayer, type WsStreamLayerOptions } from './ws-options.ts';

/**
 * Creates a stream layer over the browser's WebSocket. `listen` fails with `unimplemented`, and
 * options that concern listening have no effect.
 *
 * @throws TypeError that names an invalid option, or for `tls` or `headers`.
 */
export function createWsStreamLayer(options: WsStreamLayerOptions = {}): WsStreamLayer {
  parseOptions(layerSchema(), options, 'createWsStreamLayer');
  refuseTls(options, 'createWsStreamLayer');
  const { advertiseAddr, clock } = options;
  const layer = createNativeStreamLayer({ advertiseAddr, clock });
  checkAdvertised(layer, advertiseAddr, 'createWsStreamLayer: advertiseAddr');
  return layer;
}
