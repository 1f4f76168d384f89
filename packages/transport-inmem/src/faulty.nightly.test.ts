// Runs the rules of a stream layer on in-memory streams wrapped by `faulty`: without faults, and
// over a line that delays.

import { systemClock } from '@trunkline/transport-core';
import { faulty, streamLayerSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { createInmemStreams } from './stream/inmem-streams.ts';

const twoClocks = 'the delays run on the system clock, and the case on a manual one';
const malformed = ['', 'inmem://', 'tcp://127.0.0.1:7000', 'two words', 'inmem://a/b'];

streamLayerSuite(test, {
  name: 'faulty inmem streams',
  make: ({ clock }) => {
    const streams = createInmemStreams({ clock });
    return {
      layer: (bindAddr, advertiseAddr) => faulty(streams.layer(bindAddr, { advertiseAddr })),
      malformed,
    };
  },
});

streamLayerSuite(test, {
  name: 'faulty inmem streams with a delay',
  make: ({ clock }) => {
    const streams = createInmemStreams({ clock });
    const faults = { clock: systemClock, delay: 1, jitter: 2 };
    return {
      layer: (bindAddr, advertiseAddr) =>
        faulty(streams.layer(bindAddr, { advertiseAddr }), faults),
      malformed,
    };
  },
  skip: {
    'a dial that takes longer than its timeout fails with dial_timeout, and leaves no connection behind':
      twoClocks,
    'close waits at most a second or two for the other end to close': twoClocks,
  },
});
