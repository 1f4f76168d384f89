// Stream layer tests of a WebSocket layer wrapped by `faulty`: without faults, and with a line that
// delays.

import { faultyStreamLayerSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { createWsStreamLayer } from './ws-stream-layer.ts';

faultyStreamLayerSuite(test, {
  name: 'ws',
  make: ({ clock }) => ({
    layer: (bindAddr, advertiseAddr) => createWsStreamLayer({ bindAddr, advertiseAddr, clock }),
    malformed: ['', 'nowhere', 'ws://', 'ws://127.0.0.1:0/', 'tcp://127.0.0.1:7000'],
  }),
});
