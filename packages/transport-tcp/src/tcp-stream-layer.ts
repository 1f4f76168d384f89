// Creates the TCP stream layer, for code that composes layers.

import { checkAdvertised, parseOptions } from '@trunkline/transport-core/backend';
import { MutualTls } from '@trunkline/transport-core/node';
import { TcpLayer } from './tcp-layer.ts';
import { layerSchema, type TcpStreamLayer, type TcpStreamLayerOptions } from './tcp-options.ts';

/**
 * Creates a StreamLayer over TCP. Addresses have the form 'host:port', with or without 'tcp://';
 * its own addresses have no scheme. Throws a TypeError that names an invalid option. `listen`
 * reports an unusable `bindAddr`; `listen` and `dial` report an unusable key or certificate in
 * `tls`.
 */
export function createTcpStreamLayer(options: TcpStreamLayerOptions = {}): TcpStreamLayer {
  parseOptions(layerSchema, options, 'createTcpStreamLayer');
  const layer = new TcpLayer(
    options,
    options.tls && new MutualTls(options.tls, 'createTcpStreamLayer'),
  );
  checkAdvertised(layer, options.advertiseAddr, 'createTcpStreamLayer: advertiseAddr');
  return layer;
}
