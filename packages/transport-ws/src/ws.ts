// WebSocket as a backend of createTransport, in Node.

import { MutualTls, nodeChannels } from '@trunkline/transport-core/node';
import { clientAddress } from './client-address.ts';
import { checkHeaders } from './headers.ts';
import { checkHosts } from './hosts.ts';
import { type WsBackend, type WsBackendOptions, wsBackend } from './ws-backend.ts';
import { WsLayer } from './ws-layer.ts';

/**
 * Creates a backend for 'ws://host:port/path' and 'wss://…'. With `server`, only the path of an
 * address counts ('ws://server/rpc'), because the server determines host and port.
 *
 * @throws TypeError that names an invalid option. The contents of `tls` are read later: `listen`
 * and dials reject with `invalid_argument` if they are unusable.
 */
export function ws<T = undefined>(options: WsBackendOptions<T> = {}): WsBackend<T> {
  checkHosts(options.hosts);
  clientAddress(options.trustProxy);
  if (typeof options.headers !== 'function') checkHeaders(options.headers ?? {});
  const tls = options.tls && new MutualTls(options.tls, 'ws');
  return wsBackend(options, (given) => new WsLayer(given, tls), nodeChannels);
}
