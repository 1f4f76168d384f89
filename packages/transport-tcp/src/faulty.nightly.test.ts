// Stream layer tests of a TCP layer wrapped by `faulty`: without faults, and with a line that
// delays.

import { faultyStreamLayerSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { createTcpStreamLayer } from './tcp-stream-layer.ts';

faultyStreamLayerSuite(test, {
  name: 'tcp',
  make: ({ clock }) => ({
    layer: (bindAddr, advertiseAddr) => createTcpStreamLayer({ bindAddr, advertiseAddr, clock }),
    malformed: ['', 'nowhere', 'host:port', '127.0.0.1:0', 'ws://127.0.0.1:7000'],
  }),
});
