// Stream layer tests of a TCP layer wrapped by `faulty`: without faults, and with a line that
// delays.

import { systemClock } from '@trunkline/transport-core';
import { faulty, streamLayerSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { createTcpStreamLayer } from './tcp-stream-layer.ts';

const twoClocks = 'the delays run on the system clock, the case on a manual one';
const malformed = ['', 'nowhere', 'host:port', '127.0.0.1:0', 'ws://127.0.0.1:7000'];

streamLayerSuite(test, {
  name: 'faulty tcp',
  make: ({ clock }) => ({
    layer: (bindAddr, advertiseAddr) =>
      faulty(createTcpStreamLayer({ bindAddr, advertiseAddr, clock })),
    malformed,
  }),
});

streamLayerSuite(test, {
  name: 'faulty tcp with a delay',
  make: ({ clock }) => ({
    layer: (bindAddr, advertiseAddr) =>
      faulty(createTcpStreamLayer({ bindAddr, advertiseAddr, clock }), {
        clock: systemClock,
        delay: 1,
        jitter: 2,
      }),
    malformed,
  }),
  skip: {
    'a dial that takes longer than its timeout is dial_timeout, and leaves no connection behind':
      twoClocks,
    'an end that never comes is waited for no longer than a second or two': twoClocks,
  },
});
