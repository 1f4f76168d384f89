// Wraps the layers of a backend, for a `create` of the transport suite that uses `createTransport`.

import type { Backend } from '@trunkline/transport-core';
import type { TransportPlace } from './backend.ts';

/**
 * Returns a backend with the same schemes, whose layers are wrapped if the suite asks for it.
 * Copies the own properties of `backend`, so the methods of a class would be lost.
 */
export function wrapped<B extends Backend>(backend: B, wrap: TransportPlace['wrap']): B {
  if (wrap === undefined) return backend;
  return { ...backend, layer: (options) => wrap(backend.layer(options)) };
}
