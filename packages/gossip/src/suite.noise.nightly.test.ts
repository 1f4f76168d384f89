// The suite over sockets on loopback whose ends prove their identity with Noise.

import { createIdentity } from '@trunkline/security';
import { createNoiseStreamLayer } from '@trunkline/security/noise';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { createTcpStreamLayer } from '@trunkline/transport-tcp/layer';
import { idle } from './testing/cluster.ts';
import { gossipSuite } from './testing/suite/gossip-suite.ts';
import { real } from './testing/suite/real-network.ts';

gossipSuite(
  real('noise over TCP', () => () => {
    const identity = createIdentity();
    return {
      proven: true,
      open: (bindAddr) =>
        new NetworkTransport({
          protocol: idle,
          stream: createNoiseStreamLayer(createTcpStreamLayer({ bindAddr }), { identity }),
        }),
    };
  }),
);
