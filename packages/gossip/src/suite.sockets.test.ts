// The suite over TCP on loopback, whose ends state their identity without proof.

import { createTransport } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { idle } from './testing/cluster.ts';
import { gossipSuite } from './testing/suite/gossip-suite.ts';
import { real } from './testing/suite/real-network.ts';

gossipSuite(
  real('TCP', () => () => ({
    proven: false,
    open: (address = 'tcp://127.0.0.1:0') =>
      createTransport(address, { protocol: idle, backends: [tcp()] }),
  })),
);
