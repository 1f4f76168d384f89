// Session tests under mutual TLS.

import * as identity from '@trunkline/security';
import { sessionSuite } from '@trunkline/transport-testkit/session';
import { tlsNodes } from '@trunkline/transport-testkit/tls';
import test from 'ava';
import { createTcpTransport } from './create-tcp-transport.ts';
import { createTcpStreamLayer } from './tcp-stream-layer.ts';

const tls = await tlsNodes(identity);

sessionSuite(test, {
  name: 'tls',
  proves: true,
  place: () => ({
    layer: () => createTcpStreamLayer({ bindAddr: '127.0.0.1:0', tls: tls() }),
    transport: (options) => createTcpTransport({ ...options, bindAddr: '127.0.0.1:0', tls: tls() }),
  }),
});
