// The suite over sockets on loopback whose ends prove their identity with TLS.

import { createTransport } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { idle } from './testing/cluster.ts';
import { certifiedKey } from './testing/identities.ts';
import { gossipSuite } from './testing/suite/gossip-suite.ts';
import { real } from './testing/suite/real-network.ts';

gossipSuite(
  real('TLS', () => async () => {
    const tls = await certifiedKey();
    return {
      proven: true,
      open: (address = 'tcp://127.0.0.1:0') =>
        createTransport(address, { protocol: idle, backends: [tcp({ tls })] }),
    };
  }),
);
