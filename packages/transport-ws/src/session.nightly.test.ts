// Session tests over WebSocket.

import { createTransport } from '@trunkline/transport-core';
import { sessionSuite } from '@trunkline/transport-testkit/session';
import test from 'ava';
import { ws } from './ws.ts';
import { createWsStreamLayer } from './ws-stream-layer.ts';

sessionSuite(test, {
  name: 'ws',
  dialsWait: true,
  place: () => ({
    layer: () => createWsStreamLayer({ bindAddr: '127.0.0.1:0' }),
    transport: (options) => createTransport('ws://127.0.0.1:0', { ...options, backends: [ws()] }),
  }),
});
