// Turns any WebSocket stream layer, of Node or of the browser, into a backend.

import type { Backend } from '@trunkline/transport-core';
import { parseOptions, type TraceChannels } from '@trunkline/transport-core/backend';
import {
  backendSchema,
  checkWsOptions,
  type TlsUpdates,
  type WsStreamLayer,
  type WsStreamLayerOptions,
} from './ws-options.ts';

/** Options of `ws()`. */
export type WsBackendOptions = Pick<
  WsStreamLayerOptions,
  'reusePort' | 'server' | 'origins' | 'hosts' | 'tls'
>;

/**
 * A backend for 'ws://host:port/path' and 'wss://…'; `updateTls` applies to all its transports.
 */
export interface WsBackend extends Backend, TlsUpdates {}

/** Creates a layer. The options lack `tls`, because each creator handles it by itself. */
type CreateLayer = (options: Omit<WsStreamLayerOptions, 'tls'>) => WsStreamLayer;

export function wsBackend(
  options: WsBackendOptions,
  createLayer: CreateLayer,
  channels?: TraceChannels,
): WsBackend {
  parseOptions(backendSchema, options, 'ws');
  checkWsOptions(options);
  const { tls: _, ...own } = options;
  return {
    schemes: ['ws', 'wss'],
    channels,
    layer({ bindAddr, advertiseAddr, clock, observer }) {
      const common = { ...own, advertiseAddr, clock, observer };
      return own.server === undefined
        ? createLayer({ ...common, bindAddr })
        : createLayer({ ...common, path: pathOf(bindAddr) });
    },
    updateTls: (update) => createLayer({}).updateTls(update),
  };
}

function pathOf(address: string | undefined): string | undefined {
  return /^wss?:\/\/[^/?#]*(\/[^?#]*)/i.exec(address ?? '')?.[1];
}
