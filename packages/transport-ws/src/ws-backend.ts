// Turns any WebSocket stream layer, of Node or of the browser, into a backend.

import type { Backend, Remote } from '@trunkline/transport-core';
import { attachmentOf, parseOptions, type TraceChannels } from '@trunkline/transport-core/backend';
import {
  backendSchema,
  checkWsOptions,
  type TlsUpdates,
  type WsStreamLayer,
  type WsStreamLayerOptions,
} from './ws-options.ts';

/** Options of `ws()`. */
export type WsBackendOptions<T = unknown> = Pick<
  WsStreamLayerOptions<T>,
  'reusePort' | 'server' | 'origins' | 'hosts' | 'tls' | 'upgrade' | 'trustProxy' | 'headers'
>;

/**
 * A backend for 'ws://host:port/path' and 'wss://…'; `updateTls` applies to all its transports.
 */
export interface WsBackend<T = unknown> extends Backend, TlsUpdates {
  /**
   * Returns what `upgrade` returned for the connection of this Remote; undefined for any other
   * connection. Works in `admit`, interceptors and handlers (`rpc.from`), and also if other layers
   * surround this one.
   */
  upgradeOf(remote: Remote): T | undefined;
}

/** Creates a layer. The options lack `tls`, because each creator handles it by itself. */
type CreateLayer = (options: Omit<WsStreamLayerOptions, 'tls'>) => WsStreamLayer;

export function wsBackend<T>(
  options: WsBackendOptions<T>,
  createLayer: CreateLayer,
  channels?: TraceChannels,
): WsBackend<T> {
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
    upgradeOf(remote) {
      const given = attachmentOf(remote) as { by?: unknown; data?: T } | undefined;
      return given?.by === own.upgrade ? given?.data : undefined;
    },
    // Any layer will do, because all layers of a backend in Node share its MutualTls.
    updateTls: (update) => createLayer({}).updateTls(update),
  };
}

function pathOf(address: string | undefined): string | undefined {
  return /^wss?:\/\/[^/?#]*(\/[^?#]*)/i.exec(address ?? '')?.[1];
}
