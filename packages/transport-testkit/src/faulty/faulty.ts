// Wraps a backend or a stream layer, to inject faults on real sockets.

import { type Backend, systemRandom } from '@trunkline/transport-core';
import type { StreamLayer } from '@trunkline/transport-core/backend';
import { type FaultyOptions, parseFaultyOptions } from './faults.ts';
import {
  drawSeed,
  FaultController,
  FaultyLayer,
  type FaultyNetwork,
  isBackend,
} from './faulty-network.ts';

/** A backend with faults. All transports that use it share its faults. */
export interface FaultyBackend extends Backend, FaultyNetwork {}

/** A stream layer with faults. */
export interface FaultyStreamLayer extends StreamLayer, FaultyNetwork {}

/**
 * Wraps a backend of `createTransport`, or a stream layer, so that its connections suffer from
 * delay, jitter, limited bandwidth, stalls, resets, dead lines and altered bytes. `set` changes the
 * faults while connections are open; without faults, everything passes unchanged. Random faults
 * depend on the bytes of a connection, not on its chunks: the same seed alters the same bytes,
 * however the system splits them.
 *
 * Throws a TypeError that names an invalid option.
 *
 * Wrap one end of a connection; this covers both directions. If both ends are wrapped, each fault
 * acts twice. With Noise, wrap the underlying layer: `secured(faulty(tcp()), { identity })`.
 *
 * ```ts
 * const network = faulty(tcp(), { seed: 7, delay: 20 });
 * const client = createTransport({ protocol, backends: [network] });
 * network.set({ stalled: true });
 * ```
 */
export function faulty(backend: Backend, options?: FaultyOptions): FaultyBackend;
/** Wraps a single stream layer; see above. */
export function faulty(layer: StreamLayer, options?: FaultyOptions): FaultyStreamLayer;
export function faulty(
  wrapped: Backend | StreamLayer,
  options: FaultyOptions = {},
): FaultyBackend | FaultyStreamLayer {
  const { seed, clock, random = systemRandom, ...faults } = parseFaultyOptions(options);
  const network = new FaultController(seed ?? drawSeed(random), faults);
  const face = isBackend(wrapped)
    ? {
        schemes: wrapped.schemes,
        channels: wrapped.channels,
        credit: wrapped.credit,
        layer: (given: Parameters<Backend['layer']>[0]) =>
          new FaultyLayer(network, wrapped.layer(given), clock ?? given.clock),
      }
    : new FaultyLayer(network, wrapped, clock);
  return Object.defineProperties(face, {
    seed: { value: network.seed, enumerable: true },
    connections: { get: () => network.connections, enumerable: true },
    set: { value: network.set.bind(network) },
    heal: { value: network.heal.bind(network) },
    cut: { value: network.cut.bind(network) },
  }) as unknown as FaultyBackend | FaultyStreamLayer;
}
