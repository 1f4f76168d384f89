// The options and the type of the TCP stream layer, and their validation. Pages read these
// declarations, too, so they name nothing of Node.

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

/** Options of a TCP stream layer; all may be left out. */
export interface TcpStreamLayerOptions {
  /**
   * The address to bind: 'host:port', with or without 'tcp://'; IPv6 in brackets; port 0 picks a
   * free one. Default: '127.0.0.1:0'.
   */
  readonly bindAddr?: string | undefined;
  /**
   * The address at which others reach this end; it is sent to them verbatim. Default: the bound
   * address. Required if `bindAddr` is 0.0.0.0, ::, ':7000' or IPv6 link-local.
   */
  readonly advertiseAddr?: string | undefined;
  /**
   * Duration of silence, in milliseconds, before the kernel probes a connection (TCP keep-alive);
   * `false` disables probes. Node rounds it down to whole seconds. It must be between 1,000 and
   * 32,767,000, the most that Linux accepts. Default: 30,000.
   */
  readonly keepAlive?: number | false | undefined;
  /**
   * True to let several listeners share this port, each in a thread or process of its own; the
   * kernel spreads the connections over them. It needs Node 22.12 or newer, on Linux or another
   * system that supports it; elsewhere (macOS, Windows), such a Node rejects `listen` with
   * `invalid_argument`. Older versions of Node ignore it, so the second listener gets
   * `address_in_use`. Port 0 is refused with `invalid_argument`. Default: false, except in the
   * threads of a cluster (TRUNKLINE_REUSE_PORT=1).
   */
  readonly reusePort?: boolean | undefined;
  /** Mutual TLS 1.3: both ends prove their node ids. Default: plain TCP. */
  readonly tls?: TlsOptions | undefined;
  /** Default: the system clock. */
  readonly clock?: Clock | undefined;
  /**
   * Receives `acceptFailed` when the system could not accept a connection, for example because of
   * too many open files; the layer keeps listening.
   */
  readonly observer?: Observer | undefined;
}

/** A StreamLayer over TCP. */
export interface TcpStreamLayer extends StreamLayer {
  /**
   * Changes key, certificate, authorities or lists while the layer runs. The changes apply
   * immediately to new connections. Existing connections to nodes that are now denied, or no longer
   * allowed, are aborted; the others stay. If other authorities replace the old ones, TLS
   * handshakes in progress fail with `reset`. Rejects with `invalid_argument` if the update is
   * unusable, with a TypeError if an option has the wrong shape, and with `failed_precondition`
   * without `tls`; in all these cases nothing changes.
   */
  updateTls(update: TlsUpdate): Promise<void>;
}

/** The options of `tcp()`; MutualTls checks the contents of `tls`. */
export const backendSchema = optionsSchema({
  keepAlive: option.optional(
    option.reference<number | false>(
      (value) =>
        value === false || (typeof value === 'number' && value >= 1_000 && value <= 32_767_000),
      'a number of milliseconds from 1,000 to 32,767,000, or false',
    ),
  ),
  reusePort: option.optional(
    option.reference<boolean>((value) => typeof value === 'boolean', 'true or false'),
  ),
  tls: option.optional(
    option.reference<TlsOptions>(
      (value) => typeof value === 'object' && value !== null,
      'an object: { key, cert, ca?, allow?, deny? }',
    ),
  ),
});

export const layerSchema = extendOptions(backendSchema, {
  bindAddr: option.optional(option.text()),
  advertiseAddr: option.optional(option.text()),
  clock: commonOptions.shape.clock,
  observer: commonOptions.shape.observer,
});
