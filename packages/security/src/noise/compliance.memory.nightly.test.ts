// Compliance tests of transports over secured streams in memory.

import process from 'node:process';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { createInmemStreams } from '@trunkline/transport-inmem/layer';
import { nodeProbe, transportSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { createIdentity } from '../identity/identity.ts';
import { createNoiseStreamLayer } from './create-noise-stream-layer.ts';

const streams = createInmemStreams();

transportSuite(test, {
  name: 'noise over memory',
  proves: true,
  create(options, { address, advertiseAddr, wrap } = {}) {
    const { clock, random } = options;
    const layer = createNoiseStreamLayer(streams.layer(address, { advertiseAddr, clock, random }), {
      identity: createIdentity(),
      clock,
    });
    return new NetworkTransport({ ...options, stream: wrap === undefined ? layer : wrap(layer) });
  },
  unreachable: () => 'inmem://nobody',
  probe: nodeProbe(process),
  skip: {
    'listen on an address that cannot be dialed needs an advertised address':
      'every name in this process can be dialed',
  },
});
