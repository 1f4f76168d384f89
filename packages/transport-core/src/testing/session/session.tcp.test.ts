// The session suite over real sockets.

import { createTransport } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { createTcpStreamLayer } from '@trunkline/transport-tcp/layer';
import test from 'ava';
import { sessionSuite } from './session-suite.ts';

sessionSuite(test, {
  name: 'tcp',
  place: () => ({
    layer: () => createTcpStreamLayer({ bindAddr: '127.0.0.1:0' }),
    transport: (options) => createTransport('tcp://127.0.0.1:0', { ...options, backends: [tcp()] }),
  }),
});
