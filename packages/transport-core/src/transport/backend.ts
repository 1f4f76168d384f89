// The interface of backends, which `createTransport` picks by the scheme of an address.

import type { Clock } from '../clock.ts';
import type { LimitOptions } from '../common-options.ts';
import type { Observer, TraceChannels } from '../observer.ts';
import type { Random } from '../random.ts';
import type { StreamLayer } from '../stream/stream-layer.ts';

/**
 * A backend, as backend packages create it for `createTransport`: `tcp()`, `ws()`, `inmem()`. One
 * value can serve many transports.
 */
export interface Backend {
  /**
   * The schemes of its addresses in lower case: ['ws', 'wss']. The first one is prepended to those
   * of its addresses that have no scheme.
   */
  readonly schemes: readonly string[];
  /** The tracing channels of the process, if the backend's runtime has any. */
  readonly channels?: TraceChannels | undefined;
  /**
   * The credit that connections of this backend begin with and grow to, instead of the defaults of
   * `limits.credit`: NATS, where each grant is a message through a server, begins with 4 MiB. It
   * counts unless the transport has the option `limits.credit`.
   */
  readonly credit?: LimitOptions['credit'];
  /** Creates a layer that dials and, if there is a `bindAddr`, listens on it. */
  layer(options: BackendLayerOptions): StreamLayer;
}

/** Options with which a backend creates a layer. */
export interface BackendLayerOptions {
  /** The address to listen on, with its scheme; undefined for a layer that only dials. */
  readonly bindAddr: string | undefined;
  /**
   * The address at which others reach this node, verbatim, with its scheme; undefined if none was
   * given for this backend.
   */
  readonly advertiseAddr: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /**
   * Receives the events that only the layer sees, such as a connection that could not be accepted.
   */
  readonly observer: Observer | undefined;
}
