// In-memory streams as a backend of `createTransport`.

import type { Backend } from '@trunkline/transport-core';
import { createInmemStreams, type InmemStreams } from './stream/inmem-streams.ts';

/**
 * Creates a backend for addresses such as 'inmem://name'. Transports reach each other if they share
 * the returned backend or the same `streams`.
 */
export function inmem(streams: InmemStreams = createInmemStreams()): Backend {
  return {
    schemes: ['inmem'],
    layer: ({ bindAddr, advertiseAddr, clock, random }) =>
      streams.layer(bindAddr, { advertiseAddr, clock, random }),
  };
}
