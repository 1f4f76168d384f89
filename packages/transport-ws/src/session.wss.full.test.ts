// Session tests over WebSocket under mutual TLS.

import { sessionSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { createWsTransport } from './create-ws-transport.ts';
import { tlsNodes } from './testing/tls-nodes.ts';
import { createWsStreamLayer } from './ws-stream-layer.ts';

const tls = await tlsNodes();

sessionSuite(test, {
  name: 'wss',
  proves: true,
  place: () => ({
    layer: () => createWsStreamLayer({ bindAddr: '127.0.0.1:0', tls: tls() }),
    transport: (options) => createWsTransport({ ...options, bindAddr: '127.0.0.1:0', tls: tls() }),
  }),
});
