// Compliance tests of the TCP transport under mutual TLS; each transport is a node of its own.

import process from 'node:process';
import * as identity from '@trunkline/security';
import { createTransport } from '@trunkline/transport-core';
import { nodeProbe, transportSuite, wrapped } from '@trunkline/transport-testkit';
import { tlsNodes } from '@trunkline/transport-testkit/tls';
import test from 'ava';
import { tcp } from './tcp.ts';

const tls = await tlsNodes(identity);

transportSuite(test, {
  name: 'tls',
  create(options, { address = 'tcp://127.0.0.1:0', advertiseAddr, wrap } = {}) {
    const backends = [wrapped(tcp({ tls: tls() }), wrap)];
    return createTransport(address, { ...options, advertiseAddr, backends });
  },
  unreachable: () => 'tcp://127.0.0.1:1',
  unspecified: 'tcp://0.0.0.0:0',
  probe: nodeProbe(process),
  proves: true,
});
