// TCP as a backend of createTransport.

import type { Backend } from '@trunkline/transport-core';
import { parseOptions } from '@trunkline/transport-core/backend';
import { MutualTls, nodeChannels, updateTls } from '@trunkline/transport-core/node';
import { TcpLayer } from './tcp-layer.ts';
import { backendSchema, type TcpStreamLayer, type TcpStreamLayerOptions } from './tcp-options.ts';

/** Options of `tcp()`. */
export type TcpBackendOptions = Pick<TcpStreamLayerOptions, 'keepAlive' | 'reusePort' | 'tls'>;

/** A backend for 'tcp://host:port'; `updateTls` acts on all its transports. */
export interface TcpBackend extends Backend, Pick<TcpStreamLayer, 'updateTls'> {}

/** Creates a backend for 'tcp://host:port'. Throws a TypeError that names an invalid option. */
export function tcp(options: TcpBackendOptions = {}): TcpBackend {
  parseOptions(backendSchema, options, 'tcp');
  const { keepAlive, reusePort } = options;
  const tls = options.tls && new MutualTls(options.tls, 'tcp');
  return {
    schemes: ['tcp'],
    channels: nodeChannels,
    layer: ({ bindAddr, advertiseAddr, clock, observer }) =>
      new TcpLayer({ bindAddr, advertiseAddr, clock, observer, keepAlive, reusePort }, tls),
    updateTls: async (update) => updateTls(tls, update),
  };
}
