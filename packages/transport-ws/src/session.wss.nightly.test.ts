// Session tests over WebSocket under mutual TLS.

import * as identity from '@trunkline/security';
import { createTransport } from '@trunkline/transport-core';
import { sessionSuite } from '@trunkline/transport-testkit/session';
import { tlsNodes } from '@trunkline/transport-testkit/tls';
import test from 'ava';
import { ws } from './ws.ts';
import { createWsStreamLayer } from './ws-stream-layer.ts';

const tls = await tlsNodes(identity);

sessionSuite(test, {
  name: 'wss',
  proves: true,
  place: () => ({
    layer: () => createWsStreamLayer({ bindAddr: '127.0.0.1:0', tls: tls() }),
    transport: (options) =>
      createTransport('wss://127.0.0.1:0', { ...options, backends: [ws({ tls: tls() })] }),
  }),
});
