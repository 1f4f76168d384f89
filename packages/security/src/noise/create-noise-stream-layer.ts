// Wraps Noise around a stream layer, and around a backend of createTransport.

import { type Backend, systemClock } from '@trunkline/transport-core';
import type { StreamLayer } from '@trunkline/transport-core/backend';
import { suite } from '#noise-primitives';
import { NodeIdFilter, type PeerListsUpdate } from '../identity/node-filter.ts';
import { Buffers } from './buffers.ts';
import { type NoiseStreamLayer, SecureLayer } from './noise-stream-layer.ts';
import { type NoiseOptions, parseSecureOptions } from './secure-options.ts';

/**
 * Secures a stream layer. The result has the same addresses; its connections are encrypted, and
 * their other ends have proven their node ids. From then on, `layer` belongs to the result. It must
 * carry bytes: with a layer that carries frames (`direct()`), dials fail with
 * `failed_precondition`, and accepted connections are ended. Throws a TypeError that names an
 * invalid option.
 */
export function createNoiseStreamLayer(
  layer: StreamLayer,
  options: NoiseOptions,
): NoiseStreamLayer {
  const { identity, random, ...lists } = parseSecureOptions(options, 'createNoiseStreamLayer');
  const clock = options.clock ?? layer.clock ?? systemClock;
  return new SecureLayer(layer, {
    identity,
    clock,
    random,
    suite,
    buffers: new Buffers(),
    peers: new NodeIdFilter(identity.nodeId, lists),
  });
}

/** A backend whose connections are secured. */
export interface SecuredBackend extends Backend {
  /** Does the same as `updatePeers` of a layer, for all layers that this backend has created. */
  updatePeers(lists: PeerListsUpdate): void;
}

/**
 * Secures a backend of `createTransport`: `[secured(tcp(), { identity })]`. The schemes stay the
 * same, so a transport can use a scheme either plain or secured. If `options` has no clock, the
 * transport's clock is used. Keys are never drawn from the transport's `random`, which need not be
 * cryptographic. Inside a simulation, keys come from its seed. Throws a TypeError that names an
 * invalid option.
 */
export function secured(backend: Backend, options: NoiseOptions): SecuredBackend {
  const { identity, random, ...lists } = parseSecureOptions(options, 'secured');
  const peers = new NodeIdFilter(identity.nodeId, lists);
  const buffers = new Buffers();
  return {
    schemes: backend.schemes,
    channels: backend.channels,
    credit: backend.credit,
    layer: (given) =>
      new SecureLayer(backend.layer(given), {
        identity,
        clock: options.clock ?? given.clock,
        random,
        suite,
        buffers,
        peers,
      }),
    updatePeers: (update) => peers.update(update),
  };
}
