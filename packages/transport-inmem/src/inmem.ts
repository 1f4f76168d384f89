// In-memory streams as a backend of `createTransport`.

import type { Backend } from '@trunkline/transport-core';
import { refuseUnknown } from '@trunkline/transport-core/backend';
import { createInmemStreams, type InmemStreams } from './stream/inmem-streams.ts';

/** Options of `inmem()`. */
export interface InmemBackendOptions {
  /**
   * The streams of the backend, made by `createInmemStreams` of '@trunkline/transport-inmem/layer'.
   * Default: new ones.
   */
  readonly streams?: InmemStreams | undefined;
}

/**
 * Creates a backend for addresses such as 'inmem://name'. Transports reach each other if they share
 * the returned backend or the same `streams`. Throws a TypeError for an unknown option.
 */
export function inmem(options: InmemBackendOptions = {}): Backend {
  refuseUnknown(options, 'inmem', ['streams']);
  const { streams = createInmemStreams() } = options;
  return {
    schemes: ['inmem'],
    layer: ({ bindAddr, advertiseAddr, clock, random }) =>
      streams.layer(bindAddr, { advertiseAddr, clock, random }),
  };
}
