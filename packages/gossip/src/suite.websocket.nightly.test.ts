// The suite over WebSocket on loopback, whose ends state their identity without proof.

import { createTransport } from '@trunkline/transport-core';
import { ws } from '@trunkline/transport-ws';
import { idle } from './testing/cluster.ts';
import { gossipSuite } from './testing/suite/gossip-suite.ts';
import { real } from './testing/suite/real-network.ts';

gossipSuite(
  real('WebSocket', () => () => ({
    proven: false,
    open: (address = 'ws://127.0.0.1:0') =>
      createTransport(address, { protocol: idle, backends: [ws()] }),
  })),
);
