// Compliance tests of the WebSocket transport.

import process from 'node:process';
import { createTransport } from '@trunkline/transport-core';
import { nodeProbe, transportSuite, wrapped } from '@trunkline/transport-testkit';
import test from 'ava';
import { ws } from './ws.ts';

transportSuite(test, {
  name: 'ws',
  create(options, { address = 'ws://127.0.0.1:0', advertiseAddr, wrap } = {}) {
    const backends = [wrapped(ws(), wrap)];
    return createTransport(address, { ...options, advertiseAddr, backends });
  },
  // Port 1 of loopback: nothing listens below 1024 unless configured to.
  unreachable: () => 'ws://127.0.0.1:1/',
  unspecified: 'ws://0.0.0.0:0',
  probe: nodeProbe(process),
});
