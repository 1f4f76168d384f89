// The suite over sockets on loopback whose ends prove who they are.

import { createIdentity } from '@trunkline/identity';
import { secure } from '@trunkline/stream-noise';
import { NetworkTransport } from '@trunkline/transport-core';
import { createTcpStreamLayer, createTcpTransport } from '@trunkline/transport-tcp';
import { idle } from './testing/cluster.ts';
import { papers } from './testing/papers.ts';
import { gossipSuite } from './testing/suite/gossip-suite.ts';
import { real } from './testing/suite/real-network.ts';

gossipSuite(
  real('TLS', () => async () => {
    const tls = await papers();
    return { proven: true, open: (bindAddr) => createTcpTransport({ protocol: idle, bindAddr, tls }) };
  }),
);

gossipSuite(
  real('noise over TCP', () => () => {
    const identity = createIdentity();
    return {
      proven: true,
      open: (bindAddr) => new NetworkTransport({ protocol: idle, stream: secure(createTcpStreamLayer({ bindAddr }), { identity }) }),
    };
  }),
);
