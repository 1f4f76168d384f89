// Runs the rules of a single connection over in-process streams.

import { NetworkTransport } from '@trunkline/transport-core/backend';
import { sessionSuite } from '@trunkline/transport-testkit/session';
import test from 'ava';
import { createInmemStreams } from './stream/inmem-streams.ts';

sessionSuite(test, {
  name: 'inmem streams',
  place() {
    const streams = createInmemStreams();
    return {
      layer: () => streams.layer(),
      transport: (options) => new NetworkTransport({ ...options, stream: streams.layer() }),
    };
  },
});
