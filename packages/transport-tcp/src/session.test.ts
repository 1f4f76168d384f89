// Session tests over real sockets.

import { sessionSuite } from '@trunkline/transport-testkit/session';
import test from 'ava';
import { createTcpTransport } from './create-tcp-transport.ts';
import { createTcpStreamLayer } from './tcp-stream-layer.ts';

sessionSuite(test, {
  name: 'tcp',
  place: () => ({
    layer: () => createTcpStreamLayer({ bindAddr: '127.0.0.1:0' }),
    transport: (options) => createTcpTransport({ ...options, bindAddr: '127.0.0.1:0' }),
  }),
});
