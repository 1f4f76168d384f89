// Stream layer tests of Noise, over memory and over sockets.

import { createInmemStreams } from '@trunkline/transport-inmem/layer';
import { createTcpStreamLayer } from '@trunkline/transport-tcp/layer';
import { streamLayerSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { createIdentity } from '../identity/identity.ts';
import { createNoiseStreamLayer } from './create-noise-stream-layer.ts';

const identity = createIdentity();

streamLayerSuite(test, {
  name: 'noise over memory',
  make: ({ clock }) => {
    const streams = createInmemStreams({ clock });
    return {
      layer: (bindAddr, advertiseAddr) =>
        createNoiseStreamLayer(streams.layer(bindAddr, { advertiseAddr }), { identity, clock }),
      malformed: ['', 'inmem://', 'tcp://127.0.0.1:7000'],
    };
  },
});

streamLayerSuite(test, {
  name: 'noise over tcp',
  make: ({ clock }) => ({
    layer: (bindAddr, advertiseAddr) =>
      createNoiseStreamLayer(createTcpStreamLayer({ bindAddr, advertiseAddr, clock }), {
        identity,
        clock,
      }),
    malformed: ['', 'nowhere', '127.0.0.1:0'],
  }),
});
