// Compliance tests of the TCP transport under mutual TLS; each transport is a node of its own.

import process from 'node:process';
import * as identity from '@trunkline/security';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { nodeProbe, transportSuite } from '@trunkline/transport-testkit';
import { tlsNodes } from '@trunkline/transport-testkit/tls';
import test from 'ava';
import { createTcpTransport } from './create-tcp-transport.ts';
import { createTcpStreamLayer } from './tcp-stream-layer.ts';

const tls = await tlsNodes(identity);

transportSuite(test, {
  name: 'tls',
  create(options, { address: bindAddr, advertiseAddr, wrap } = {}) {
    if (wrap === undefined)
      return createTcpTransport({ ...options, bindAddr, advertiseAddr, tls: tls() });
    const { clock, observer } = options;
    return new NetworkTransport({
      ...options,
      stream: wrap(createTcpStreamLayer({ bindAddr, advertiseAddr, clock, observer, tls: tls() })),
    });
  },
  unreachable: () => '127.0.0.1:1',
  unspecified: '0.0.0.0:0',
  probe: nodeProbe(process),
  proves: true,
});
