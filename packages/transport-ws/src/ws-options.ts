// What a WebSocket layer, and a transport over it, can be told.

import type { TlsOptions, TlsUpdate } from '@trunkline/mutual-tls/options';
import type { Clock, CommonOptions, Observer, Protocol, StreamLayer, Transport } from '@trunkline/transport-core';

export interface WsStreamLayerOptions {
  /** A port of its own: 'host:port' or 'ws://host:port/path'; port 0 picks a free one. Default '127.0.0.1:0'. Not beside `server`. */
  readonly bindAddr?: string | undefined;
  /** Where others reach this end, told to them verbatim. Default: what is bound. Needed where that is 0.0.0.0 or ::. */
  readonly advertiseAddr?: string | undefined;
  /** The path of the upgrade, from '/'. Default '/'. */
  readonly path?: string | undefined;
  /**
   * A server of yours, http or https, that listens: its upgrades under `path` become connections, all else on it stays yours. It is
   * never closed. For wss:// give an https server.
   */
  readonly server?: HttpServer | undefined;
  /** Web pages that may connect, as their `Origin` header: 'https://app.example'. Default: all. One without the header is no page, and may. */
  readonly origins?: readonly string[] | undefined;
  /**
   * Hosts that an upgrade may name in its `Host` header, without a port: 'app.example', '127.0.0.1', '[::1]'; '*' is any. One that names
   * another gets HTTP 403. Default: if a loopback address is bound, 'localhost', '*.localhost', loopback addresses and the hosts of
   * `bindAddr` and `advertiseAddr`, so that no page on the web reaches a local port by a name that was rebound to it (DNS rebinding);
   * otherwise any.
   */
  readonly hosts?: readonly string[] | undefined;
  /**
   * Mutual TLS 1.3 on a port of its own: both ends prove their node ids, addresses are 'wss://…', and no 'ws://' is dialled. Not beside
   * `server`, nor in a browser, which can't present a certificate to a page's connections.
   */
  readonly tls?: TlsOptions | undefined;
  /** Default: the machine's. */
  readonly clock?: Clock | undefined;
  /** Is told (`acceptFailed`) when the system could not accept a connection, though it listens on. */
  readonly observer?: Observer | undefined;
}

/** Options of a transport over WebSocket; `protocol` is required. */
export type WsTransportOptions<P extends Protocol> = CommonOptions & WsStreamLayerOptions & { readonly protocol: P };

/** A StreamLayer over WebSocket. */
export interface WsStreamLayer extends StreamLayer, TlsUpdates {}

/** A transport over WebSocket, whose keys and lists can be changed. */
export interface WsTransport<P extends Protocol> extends Transport<P>, TlsUpdates {}

export interface TlsUpdates {
  /**
   * Changes key, certificate, authorities or lists while it runs: at once for new connections; those whose node is denied, or allowed
   * no more, are cut (`permission_denied`, `denied`, at both ends), the others stay. Rejects with `invalid_argument` for what can't be
   * used, and with `failed_precondition` without `tls`; then everything stays as it was.
   */
  updateTls(update: TlsUpdate): Promise<void>;
}

/** The part of node:http's (and node:https') Server that is used: so browsers' builds need no types of Node. */
export interface HttpServer {
  readonly listening: boolean;
  address(): { address: string; port: number } | string | null;
  on(event: string, listener: (...args: any[]) => void): unknown;
  removeListener(event: string, listener: (...args: any[]) => void): unknown;
  // biome-ignore lint/complexity/noBannedTypes: Node's own type.
  listeners(event: string): Function[];
}

/** What is misuse whatever the machine: a TypeError naming the option. */
export function checkWsOptions(options: WsStreamLayerOptions): void {
  const { bindAddr, server, path, origins, tls } = options;
  if (bindAddr !== undefined && server !== undefined) throw new TypeError("bindAddr: not beside 'server', whose port is used");
  if (tls !== undefined && server !== undefined) throw new TypeError("tls: not beside 'server'; what that server does with certificates is its own affair");
  if (path !== undefined && !/^\/[^?#]*$/.test(path)) throw new TypeError(`path: begins with '/', without '?' and '#'; not '${path}'`);
  if (origins !== undefined && (!Array.isArray(origins) || origins.some((origin) => typeof origin !== 'string')))
    throw new TypeError('origins: an array of strings');
}
