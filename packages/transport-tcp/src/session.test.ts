// Session tests over real sockets.

import { createTransport } from '@trunkline/transport-core';
import { sessionSuite } from '@trunkline/transport-testkit/session';
import test from 'ava';
import { tcp } from './tcp.ts';
import { createTcpStreamLayer } from './tcp-stream-layer.ts';

sessionSuite(test, {
  name: 'tcp',
  place: () => ({
    layer: () => createTcpStreamLayer({ bindAddr: '127.0.0.1:0' }),
    transport: (options) => createTransport('tcp://127.0.0.1:0', { ...options, backends: [tcp()] }),
  }),
});
