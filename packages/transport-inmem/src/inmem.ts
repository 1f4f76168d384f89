// In-memory streams as a backend of createTransport.

import type { Backend } from '@trunkline/transport-core';
import { createInmemStreams, type InmemStreams } from './stream/inmem-streams.ts';

/** A backend for 'inmem://name'. Transports that share its value, or its streams, reach each other. */
export function inmem(streams: InmemStreams = createInmemStreams()): Backend {
  return {
    schemes: ['inmem'],
    layer: ({ bindAddr, advertiseAddr, clock, random }) => streams.layer(bindAddr, { advertiseAddr, clock, random }),
  };
}
