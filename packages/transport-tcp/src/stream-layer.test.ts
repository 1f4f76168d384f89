// Stream layer tests of the TCP layer, plain and under TLS.

import * as identity from '@trunkline/security';
import { streamLayerSuite } from '@trunkline/transport-testkit';
import { tlsNodes } from '@trunkline/transport-testkit/tls';
import test from 'ava';
import { createTcpStreamLayer } from './tcp-stream-layer.ts';

const tls = await tlsNodes(identity);

const malformed = [
  '',
  'nowhere',
  'host:port',
  '::1:7000',
  '127.0.0.1:65536',
  ':7000',
  '127.0.0.1:0',
  'ws://127.0.0.1:7000',
  '[::1',
  'a b:1',
];

streamLayerSuite(test, {
  name: 'tcp',
  make: ({ clock }) => ({
    layer: (bindAddr, advertiseAddr) => createTcpStreamLayer({ bindAddr, advertiseAddr, clock }),
    malformed,
  }),
});

streamLayerSuite(test, {
  name: 'tls',
  make: ({ clock }) => ({
    layer: (bindAddr, advertiseAddr) =>
      createTcpStreamLayer({ bindAddr, advertiseAddr, clock, tls: tls() }),
    malformed,
  }),
});
