// Stream layer tests of the WebSocket layer under TLS.

import * as identity from '@trunkline/security';
import { streamLayerSuite } from '@trunkline/transport-testkit';
import { tlsNodes } from '@trunkline/transport-testkit/tls';
import test from 'ava';
import { createWsStreamLayer } from './ws-stream-layer.ts';

const tls = await tlsNodes(identity);

streamLayerSuite(test, {
  name: 'wss',
  make: ({ clock }) => ({
    layer: (bindAddr, advertiseAddr) =>
      createWsStreamLayer({ bindAddr, advertiseAddr, clock, tls: tls() }),
    malformed: ['', 'nowhere', 'wss://', 'ws://127.0.0.1:7000/', 'wss://127.0.0.1:0/'],
  }),
});
