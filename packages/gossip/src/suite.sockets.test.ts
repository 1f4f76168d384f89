// The suite over TCP on loopback, whose ends state their identity without proof.

import { createTcpTransport } from '@trunkline/transport-tcp';
import { idle } from './testing/cluster.ts';
import { gossipSuite } from './testing/suite/gossip-suite.ts';
import { real } from './testing/suite/real-network.ts';

gossipSuite(
  real('TCP', () => () => ({
    proven: false,
    open: (bindAddr) => createTcpTransport({ protocol: idle, bindAddr }),
  })),
);
