// The suite over sockets on loopback whose ends prove their identity with TLS.

import { createTcpTransport } from '@trunkline/transport-tcp';
import { idle } from './testing/cluster.ts';
import { certifiedKey } from './testing/identities.ts';
import { gossipSuite } from './testing/suite/gossip-suite.ts';
import { real } from './testing/suite/real-network.ts';

gossipSuite(
  real('TLS', () => async () => {
    const tls = await certifiedKey();
    return {
      proven: true,
      open: (bindAddr) => createTcpTransport({ protocol: idle, bindAddr, tls }),
    };
  }),
);
