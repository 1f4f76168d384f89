// The options and public types of the WebSocket layer, and their validation.

import type { Clock, Observer } from '@trunkline/transport-core';
import {
  commonOptions,
  extendOptions,
  option,
  optionsSchema,
  type StreamLayer,
  type TlsOptions,
  type TlsUpdate,
} from '@trunkline/transport-core/backend';

/** Options of a WebSocket stream layer; all may be left out. `T` is what `upgrade` returns. */
export interface WsStreamLayerOptions<T = unknown> {
  /**
   * The address to bind: 'host:port' or 'ws://host:port/path'; port 0 picks a free one. Default:
   * '127.0.0.1:0'. Cannot be combined with `server`.
   */
  readonly bindAddr?: string | undefined;
  /**
   * The address at which others reach this end; it is sent to them verbatim. Default: the bound
   * address. Required if the bound address is 0.0.0.0, :: or IPv6 link-local.
   */
  readonly advertiseAddr?: string | undefined;
  /**
   * True to let several listeners share this port, each in a thread or process of its own; the
   * kernel spreads the connections over them. It needs Node 22.12 or newer, on Linux or another
   * system that supports it; elsewhere (macOS, Windows), such a Node rejects `listen` with
   * `invalid_argument`. Older versions of Node ignore it, so the second listener gets
   * `address_in_use`. Port 0 is refused with `invalid_argument`. It does not apply to a given
   * `server`. Default: false, except in the threads of a cluster (TRUNKLINE_REUSE_PORT=1).
   */
  readonly reusePort?: boolean | undefined;
  /** The path of the upgrade, beginning with '/'; one in `bindAddr` replaces it. Default: '/'. */
  readonly path?: string | undefined;
  /**
   * An http or https server of yours that listens, or is about to. Upgrades at `path` become
   * connections; everything else on the server stays yours, and the transport never closes the
   * server. For wss://, pass an https server.
   */
  readonly server?: HttpServer | undefined;
  /**
   * Web pages that may connect, given as their `Origin` header: 'https://app.example'; '*' allows
   * all. Default: with `upgrade`, the pages of the host and port that the `Host` header names,
   * because the user's cookies travel with the upgrades of all pages; otherwise all. If the upgrade
   * came over TLS, here or at a proxy that sends `X-Forwarded-Proto: https`, this excludes pages
   * that came without TLS. The connection of another page is refused with `permission_denied`. A
   * client that sends no such header is not a page and is always allowed.
   */
  readonly origins?: readonly string[] | undefined;
  /**
   * Called with each upgrade that may become a connection, before `admit`. What it returns, or its
   * promise resolves to, is known as `upgradeOf(remote)`. To refuse the client, it throws a
   * TransportError, or an object with an HTTP `status` (a Response, an error of http-errors), which
   * stands for a code (docs/wire-protocol.md). Any other value that it throws refuses the client
   * with `unavailable` and is reported as `callbackFailed`. It is part of the handshake
   * (`limits.handshakes`, `handshakeTimeout`).
   */
  readonly upgrade?: ((request: UpgradeRequest) => T | PromiseLike<T>) | undefined;
  /**
   * The proxies whose header `X-Forwarded-For` is believed: their number, counted from this server,
   * or a list of the IP ranges that they are in. The address of a client, in `upgrade`, in
   * `remote.endpoint` and (with `server`) for `limits.handshakes.perSource`, is then the nearest
   * one that is not a trusted proxy's. A number trusts every client: give it only if all come
   * through the proxies, otherwise the ranges. Default: 0, so the address of the socket.
   */
  readonly trustProxy?: number | readonly string[] | undefined;
  /**
   * Headers that this end sends with each upgrade that it dials, to any server: for example
   * { cookie: 'session=…' }. A function is called for each dial. If it throws, the dial fails with
   * its TransportError, or with `invalid_argument`. Not in a browser, where pages can't set
   * headers.
   */
  readonly headers?:
    | Readonly<Record<string, string | undefined>>
    | (() => Readonly<Record<string, string | undefined>>)
    | undefined;
  /**
   * Hosts that an upgrade may name in its `Host` header, without a port: 'app.example',
   * '127.0.0.1', '[::1]'; '*' allows any. An upgrade that names another host gets HTTP 403.
   * Default: if a loopback address is bound, 'localhost', '*.localhost', loopback addresses and the
   * hosts of `bindAddr` and `advertiseAddr`, so that no web page can reach a local port through a
   * host name rebound to it (DNS rebinding); otherwise any.
   */
  readonly hosts?: readonly string[] | undefined;
  /**
   * Mutual TLS 1.3 on a port of its own: both ends prove their node ids, addresses are 'wss://…',
   * and 'ws://' is not dialed. Cannot be combined with `server`, nor used in a browser, because a
   * page cannot present a certificate.
   */
  readonly tls?: TlsOptions | undefined;
  /** Default: the system clock. */
  readonly clock?: Clock | undefined;
  /**
   * Receives `acceptFailed` when the system could not accept a connection (the layer keeps
   * listening), and `callbackFailed` when `upgrade` threw something that is no refusal. Without a
   * transport, it also receives `rejected` for a client whose bytes are no valid HTTP request.
   */
  readonly observer?: Observer | undefined;
}

/** The HTTP request of an upgrade. */
export interface UpgradeRequest {
  /** Path and query, as the client sent them: '/rpc?room=7'. */
  readonly url: string;
  /** The headers, with their names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The client's IP address; see `trustProxy`. */
  readonly address: string;
  /** The IncomingMessage of node:http, for middleware such as express-session. */
  readonly raw: any;
}

/** A StreamLayer over WebSocket. */
export interface WsStreamLayer extends StreamLayer, TlsUpdates {}

/** Changes the TLS keys and lists of a layer that is running. */
export interface TlsUpdates {
  /**
   * Changes key, certificate, authorities or lists while the layer runs. The changes apply
   * immediately to new connections. Existing connections to nodes that are now denied, or no longer
   * allowed, are aborted (with `permission_denied`, reason `denied`, at both ends); the others
   * stay. If other authorities replace the old ones, TLS handshakes in progress fail with
   * `reset`. Rejects with `invalid_argument` if the update is unusable, with a TypeError if an
   * option has the wrong type, and with `failed_precondition` without `tls`; then nothing changes.
   */
  updateTls(update: TlsUpdate): Promise<void>;
}

/**
 * The part of the Server of node:http and node:https that is used, so that browser builds do not
 * need the types of Node.
 */
export interface HttpServer {
  readonly listening: boolean;
  address(): { address: string; port: number } | string | null;
  on(event: string, listener: (...args: any[]) => void): unknown;
  removeListener(event: string, listener: (...args: any[]) => void): unknown;
  // biome-ignore lint/complexity/noBannedTypes: Node's own type.
  listeners(event: string): Function[];
}

/** Throws a TypeError that names the option if the options are invalid on any machine. */
export function checkWsOptions(options: WsStreamLayerOptions): void {
  const { bindAddr, server, path, tls } = options;
  if (bindAddr !== undefined && server !== undefined)
    throw new TypeError("bindAddr: can't be combined with 'server', whose port is used");
  if (tls !== undefined && server !== undefined)
    throw new TypeError(
      "tls: can't be combined with 'server'; configure the certificates of that server instead",
    );
  if (path !== undefined && !/^\/[^?#]*$/.test(path))
    throw new TypeError(`path: must begin with '/' and have no '?' or '#', got '${path}'`);
}

export const backendSchema = optionsSchema({
  reusePort: option.optional(
    option.reference<boolean>((value) => typeof value === 'boolean', 'true or false'),
  ),
  server: option.optional(
    option.reference<HttpServer>(
      (value) => typeof (value as HttpServer | null)?.address === 'function',
      'an http or https server',
    ),
  ),
  origins: option.optional(
    option.reference<readonly string[]>(
      isTexts,
      "a list of origins, such as ['https://app.example']",
    ),
  ),
  hosts: option.optional(option.reference<readonly string[]>(isTexts, 'a list of host names')),
  upgrade: option.optional(option.callback<(request: UpgradeRequest) => unknown>()),
  // Node checks these two itself, so that pages do without their texts.
  trustProxy: option.reference<WsStreamLayerOptions['trustProxy']>(() => true, ''),
  headers: option.reference<WsStreamLayerOptions['headers']>(() => true, ''),
  tls: option.optional(
    option.reference<TlsOptions>(
      (value) => typeof value === 'object' && value !== null,
      'an object: { key, cert, ca?, allow?, deny? }',
    ),
  ),
});

export const layerSchema = () =>
  extendOptions(backendSchema, {
    bindAddr: option.optional(option.text()),
    advertiseAddr: option.optional(option.text()),
    path: option.optional(option.text()),
    clock: commonOptions.shape.clock,
    observer: commonOptions.shape.observer,
  });

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
