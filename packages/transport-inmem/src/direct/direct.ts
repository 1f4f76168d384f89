// The direct in-memory network as a backend: a test decides who may dial whom.

import type { Backend } from '@trunkline/transport-core';
import { nameFor, nameOf } from '../memory/names.ts';
import { DirectLayer } from './direct-layer.ts';
import { DirectNetwork } from './direct-network.ts';

/**
 * A network in memory whose transports reach each other as its owner says. Names are given as
 * 'name' or 'inmem://name', before or after a transport listens on them; of several changes that
 * concern two names, the latest counts. The methods throw `invalid_argument` for a malformed name.
 */
export interface DirectBackend extends Backend {
  /**
   * Lets the transport `from` dial `to`, even if it was isolated. The other direction needs a
   * `connect` of its own.
   */
  connect(from: string, to: string): void;
  /**
   * Makes dials from `from` to `to` fail with `unavailable` and resets the connections that it has
   * dialed; those that `to` has dialed stay.
   */
  disconnect(from: string, to: string): void;
  /**
   * Isolates a transport: it can dial nobody, nobody can dial it, and its connections are reset,
   * until `connect` or `connectAll`.
   */
  disconnectAll(address: string): void;
  /**
   * Lets every transport dial every other, also those that are created later and those that were
   * disconnected before.
   */
  connectAll(): void;
}

/**
 * Creates an in-memory network for unit tests, a backend for addresses such as 'inmem://name'.
 * Messages are encoded, copied, queued and timed as on a real network, so code that works in memory
 * also works on a network; but they are passed as objects, and no byte stream lies in between.
 * Nobody is connected before `connect` or `connectAll`. Once a connection exists, both ends can
 * call over it.
 */
export function direct(): DirectBackend {
  const network = new DirectNetwork<DirectLayer>();
  return {
    schemes: ['inmem'],
    layer: ({ bindAddr, advertiseAddr, clock, random }) =>
      new DirectLayer(network, nameFor(bindAddr, random), advertiseAddr, clock),
    connect: (from, to) => network.connect(nameOf(from), nameOf(to)),
    disconnect: (from, to) => network.disconnect(nameOf(from), nameOf(to)),
    disconnectAll: (address) => network.disconnectAll(nameOf(address)),
    connectAll: () => network.connectAll(),
  };
}
