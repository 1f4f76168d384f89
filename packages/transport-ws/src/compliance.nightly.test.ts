// Compliance tests of the WebSocket transport.

import process from 'node:process';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { nodeProbe, transportSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { createWsTransport } from './create-ws-transport.ts';
import { createWsStreamLayer } from './ws-stream-layer.ts';

transportSuite(test, {
  name: 'ws',
  create(options, { address: bindAddr, advertiseAddr, wrap } = {}) {
    if (wrap === undefined) return createWsTransport({ ...options, bindAddr, advertiseAddr });
    const { clock, observer } = options;
    return new NetworkTransport({
      ...options,
      stream: wrap(createWsStreamLayer({ bindAddr, advertiseAddr, clock, observer })),
    });
  },
  // Port 1 of loopback: nothing listens below 1024 unless configured to.
  unreachable: () => 'ws://127.0.0.1:1/',
  unspecified: '0.0.0.0:0',
  probe: nodeProbe(process),
});
