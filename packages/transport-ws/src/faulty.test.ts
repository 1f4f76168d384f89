// Stream layer tests of a WebSocket layer wrapped by `faulty`: without faults, and with a line that
// delays.

import { systemClock } from '@trunkline/transport-core';
import { faulty, streamLayerSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { createWsStreamLayer } from './ws-stream-layer.ts';

const twoClocks = 'the delays run on the system clock, the case on a manual one';
const malformed = ['', 'nowhere', 'ws://', 'ws://127.0.0.1:0/', 'tcp://127.0.0.1:7000'];

streamLayerSuite(test, {
  name: 'faulty ws',
  make: ({ clock }) => ({
    layer: (bindAddr, advertiseAddr) =>
      faulty(createWsStreamLayer({ bindAddr, advertiseAddr, clock })),
    malformed,
  }),
});

streamLayerSuite(test, {
  name: 'faulty ws with a delay',
  make: ({ clock }) => ({
    layer: (bindAddr, advertiseAddr) =>
      faulty(createWsStreamLayer({ bindAddr, advertiseAddr, clock }), {
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
