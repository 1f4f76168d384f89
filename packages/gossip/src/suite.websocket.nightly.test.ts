// The suite over WebSocket on loopback, whose ends state their identity without proof.

import { createWsTransport } from '@trunkline/transport-ws';
import { idle } from './testing/cluster.ts';
import { gossipSuite } from './testing/suite/gossip-suite.ts';
import { real } from './testing/suite/real-network.ts';

gossipSuite(
  real('WebSocket', () => () => ({
    proven: false,
    open: (bindAddr = 'ws://127.0.0.1:0') => createWsTransport({ protocol: idle, bindAddr }),
  })),
);
