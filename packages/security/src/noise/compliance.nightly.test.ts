// Compliance tests of transports over secured sockets.

import process from 'node:process';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { createTcpStreamLayer } from '@trunkline/transport-tcp/layer';
import { nodeProbe, transportSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { createIdentity } from '../identity/identity.ts';
import { createNoiseStreamLayer } from './create-noise-stream-layer.ts';

transportSuite(test, {
  name: 'noise over tcp',
  proves: true,
  create(options, { address: bindAddr, advertiseAddr, wrap } = {}) {
    const { clock, observer } = options;
    const layer = createNoiseStreamLayer(
      createTcpStreamLayer({ bindAddr, advertiseAddr, clock, observer }),
      {
        identity: createIdentity(),
        clock,
      },
    );
    return new NetworkTransport({ ...options, stream: wrap === undefined ? layer : wrap(layer) });
  },
  unreachable: () => '127.0.0.1:1',
  unspecified: '0.0.0.0:0',
  probe: nodeProbe(process),
});
