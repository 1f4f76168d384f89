// Session tests under mutual TLS.

import * as identity from '@trunkline/security';
import { createTransport } from '@trunkline/transport-core';
import { sessionSuite } from '@trunkline/transport-testkit/session';
import { tlsNodes } from '@trunkline/transport-testkit/tls';
import test from 'ava';
import { tcp } from './tcp.ts';
import { createTcpStreamLayer } from './tcp-stream-layer.ts';

const tls = await tlsNodes(identity);

sessionSuite(test, {
  name: 'tls',
  proves: true,
  place: () => ({
    layer: () => createTcpStreamLayer({ bindAddr: '127.0.0.1:0', tls: tls() }),
    transport: (options) =>
      createTransport('tcp://127.0.0.1:0', { ...options, backends: [tcp({ tls: tls() })] }),
  }),
});
