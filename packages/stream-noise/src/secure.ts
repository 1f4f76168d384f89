// Noise around a stream layer, and around a backend of createTransport.

import { type Backend, type StreamLayer, systemClock } from '@trunkline/transport-core';
import { suite } from '#primitives';
import { Buffers } from './buffers.ts';
import { type NoiseStreamLayer, SecureLayer } from './noise-stream-layer.ts';
import { Peers, type PeerUpdate } from './peers.ts';
import { parseSecureOptions, type SecureOptions } from './secure-options.ts';

/**
 * Secures a stream layer: what comes out has the same addresses, and connections that are encrypted and whose other end proved its
 * node id. From here on the layer belongs to it. A wrong option is a TypeError that names it.
 */
export function secure(layer: StreamLayer, options: SecureOptions): NoiseStreamLayer {
  const { identity, random, ...lists } = parseSecureOptions(options, 'secure');
  const clock = options.clock ?? layer.clock ?? systemClock;
  return new SecureLayer(layer, { identity, clock, random, suite, buffers: new Buffers(), peers: new Peers(identity.nodeId, lists) });
}

/** A backend whose connections are secured. */
export interface SecuredBackend extends Backend {
  /** As that of a layer, for all layers that this backend has made. */
  updatePeers(lists: PeerUpdate): void;
}

/**
 * Secures a backend of `createTransport`: `[secured(tcp(), { identity })]`. Its schemes are the same; so a transport has a scheme
 * either plain or secured. The clock is the transport's where `options` has none. Keys are never drawn from the transport's `random`,
 * which need not be cryptographic. Inside a simulation they come from its seed.
 */
export function secured(backend: Backend, options: SecureOptions): SecuredBackend {
  const { identity, random, ...lists } = parseSecureOptions(options, 'secured');
  const peers = new Peers(identity.nodeId, lists);
  const buffers = new Buffers();
  return {
    schemes: backend.schemes,
    layer: (given) => new SecureLayer(backend.layer(given), { identity, clock: options.clock ?? given.clock, random, suite, buffers, peers }),
    updatePeers: (update) => peers.update(update),
  };
}
