// The suite over secure WebSockets on loopback whose ends prove their identity.

import { createTransport } from '@trunkline/transport-core';
import { ws } from '@trunkline/transport-ws';
import { idle } from './testing/cluster.ts';
import { certifiedKey } from './testing/identities.ts';
import { gossipSuite } from './testing/suite/gossip-suite.ts';
import { real } from './testing/suite/real-network.ts';

gossipSuite(
  real('secure WebSocket', () => async () => {
    const tls = await certifiedKey();
    return {
      proven: true,
      open: (address = 'wss://127.0.0.1:0') =>
        createTransport(address, { protocol: idle, backends: [ws({ tls })] }),
    };
  }),
);
