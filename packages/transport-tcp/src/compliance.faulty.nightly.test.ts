// Compliance tests of the TCP transport wrapped by `faulty`: without faults, and with a line that
// delays.

import process from 'node:process';
import { faultyTransportSuite, nodeProbe } from '@trunkline/transport-testkit';
import test from 'ava';
import { createTcpStreamLayer } from './tcp-stream-layer.ts';

faultyTransportSuite(test, {
  name: 'tcp',
  layer: ({ clock, observer }, { address: bindAddr, advertiseAddr }) =>
    createTcpStreamLayer({ bindAddr, advertiseAddr, clock, observer }),
  unreachable: () => '127.0.0.1:1',
  unspecified: '0.0.0.0:0',
  probe: nodeProbe(process),
});
