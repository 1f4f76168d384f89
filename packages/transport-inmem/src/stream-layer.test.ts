// Runs the rules of a stream layer on in-memory streams.

import { streamLayerSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { createInmemStreams } from './stream/inmem-streams.ts';

const malformed = ['', 'inmem://', 'tcp://127.0.0.1:7000', 'two words', 'inmem://a/b'];

streamLayerSuite(test, {
  name: 'inmem streams',
  make: ({ clock }) => {
    const streams = createInmemStreams({ clock });
    return {
      layer: (bindAddr, advertiseAddr) => streams.layer(bindAddr, { advertiseAddr }),
      malformed,
    };
  },
});
