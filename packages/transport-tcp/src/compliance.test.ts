// Compliance tests of the TCP transport.

import process from 'node:process';
import { createTransport } from '@trunkline/transport-core';
import { nodeProbe, transportSuite, wrapped } from '@trunkline/transport-testkit';
import test from 'ava';
import { tcp } from './tcp.ts';

transportSuite(test, {
  name: 'tcp',
  create(options, { address = 'tcp://127.0.0.1:0', advertiseAddr, wrap } = {}) {
    const backends = [wrapped(tcp(), wrap)];
    return createTransport(address, { ...options, advertiseAddr, backends });
  },
  // Port 1 of loopback: nothing listens below 1024 unless configured to.
  unreachable: () => 'tcp://127.0.0.1:1',
  unspecified: 'tcp://0.0.0.0:0',
  probe: nodeProbe(process),
});
