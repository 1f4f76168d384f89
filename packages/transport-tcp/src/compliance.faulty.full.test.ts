// Compliance tests of the TCP transport wrapped by `faulty`: without faults, and with a line that
// delays.

import process from 'node:process';
import { systemClock } from '@trunkline/transport-core';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import {
  type FaultyOptions,
  faulty,
  nodeProbe,
  transportSuite,
} from '@trunkline/transport-testkit';
import test from 'ava';
import { createTcpStreamLayer } from './tcp-stream-layer.ts';

const lines: Record<string, FaultyOptions> = {
  'faulty tcp': {},
  'faulty tcp with a delay': { clock: systemClock, delay: 1, jitter: 1 },
};

const slow = 'so many dials and closes over a line that delays take longer than a case may';
const skip = {
  'a thousand transports that open, call and close leave handles and heap where they were': slow,
  'connections that come and go a thousand times leave nothing at either end': slow,
};

for (const [name, faults] of Object.entries(lines)) {
  transportSuite(test, {
    name,
    create(options, { address: bindAddr, advertiseAddr, wrap } = {}) {
      const { clock, observer } = options;
      const layer = faulty(
        createTcpStreamLayer({ bindAddr, advertiseAddr, clock, observer }),
        faults,
      );
      return new NetworkTransport({ ...options, stream: wrap === undefined ? layer : wrap(layer) });
    },
    unreachable: () => '127.0.0.1:1',
    unspecified: '0.0.0.0:0',
    probe: nodeProbe(process),
    ...(faults.delay === undefined ? {} : { skip }),
  });
}
