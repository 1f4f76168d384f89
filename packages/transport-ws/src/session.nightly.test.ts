// Session tests over WebSocket.

import { sessionSuite } from '@trunkline/transport-testkit/session';
import test from 'ava';
import { createWsTransport } from './create-ws-transport.ts';
import { createWsStreamLayer } from './ws-stream-layer.ts';

sessionSuite(test, {
  name: 'ws',
  dialsWait: true,
  place: () => ({
    layer: () => createWsStreamLayer({ bindAddr: '127.0.0.1:0' }),
    transport: (options) => createWsTransport({ ...options, bindAddr: '127.0.0.1:0' }),
  }),
});
