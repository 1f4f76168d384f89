// Compliance tests of the TCP transport.

import process from 'node:process';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { nodeProbe, transportSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { createTcpTransport } from './create-tcp-transport.ts';
import { createTcpStreamLayer } from './tcp-stream-layer.ts';

transportSuite(test, {
  name: 'tcp',
  create(options, { address: bindAddr, advertiseAddr, wrap } = {}) {
    if (wrap === undefined) return createTcpTransport({ ...options, bindAddr, advertiseAddr });
    const { clock, observer } = options;
    return new NetworkTransport({
      ...options,
      stream: wrap(createTcpStreamLayer({ bindAddr, advertiseAddr, clock, observer })),
    });
  },
  // Port 1 of loopback: nothing listens below 1024 unless configured to.
  unreachable: () => '127.0.0.1:1',
  unspecified: '0.0.0.0:0',
  probe: nodeProbe(process),
});
