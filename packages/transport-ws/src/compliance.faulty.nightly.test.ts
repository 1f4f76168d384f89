// Compliance tests of the WebSocket transport wrapped by `faulty`: without faults, and with a line
// that delays.

import process from 'node:process';
import { faultyTransportSuite, nodeProbe } from '@trunkline/transport-testkit';
import test from 'ava';
import { createWsStreamLayer } from './ws-stream-layer.ts';

faultyTransportSuite(test, {
  name: 'ws',
  layer: ({ clock, observer }, { address: bindAddr, advertiseAddr }) =>
    createWsStreamLayer({ bindAddr, advertiseAddr, clock, observer }),
  unreachable: () => 'ws://127.0.0.1:1/',
  unspecified: '0.0.0.0:0',
  probe: nodeProbe(process),
});
