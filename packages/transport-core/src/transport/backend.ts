// A way to carry a transport, chosen by the scheme of an address.

import type { Clock } from '../clock.ts';
import type { Observer } from '../observer.ts';
import type { Random } from '../random.ts';
import type { StreamLayer } from '../stream/stream-layer.ts';

/** What a backend package gives to `createTransport`: `tcp()`, `ws()`, `inmem()`. One value serves many transports. */
export interface Backend {
  /** The schemes of its addresses, lower-case: ['ws', 'wss']. The first is put before its addresses that have none. */
  readonly schemes: readonly string[];
  /** A layer that dials, and listens on `bindAddr` (with its scheme) where there is one. */
  layer(options: BackendLayerOptions): StreamLayer;
}

export interface BackendLayerOptions {
  /** With its scheme; undefined: it only dials. */
  readonly bindAddr: string | undefined;
  /** Verbatim, with its scheme; undefined where none was given for this backend. */
  readonly advertiseAddr: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /** Told of what the layer alone sees: a connection that could not be accepted. */
  readonly observer: Observer | undefined;
}
