// Compliance tests of the WebSocket transport under mutual TLS; each transport is a node of its
// own.

import process from 'node:process';
import * as identity from '@trunkline/security';
import { createTransport } from '@trunkline/transport-core';
import { nodeProbe, transportSuite, wrapped } from '@trunkline/transport-testkit';
import { tlsNodes } from '@trunkline/transport-testkit/tls';
import test from 'ava';
import { ws } from './ws.ts';

const tls = await tlsNodes(identity);

transportSuite(test, {
  name: 'wss',
  create(options, { address = 'wss://127.0.0.1:0', advertiseAddr, wrap } = {}) {
    const backends = [wrapped(ws({ tls: tls() }), wrap)];
    return createTransport(address, { ...options, advertiseAddr, backends });
  },
  unreachable: () => 'wss://127.0.0.1:1/',
  unspecified: 'wss://0.0.0.0:0',
  probe: nodeProbe(process),
  proves: true,
});
