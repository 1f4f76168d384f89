// The suite over TCP on loopback with TLS, which proves the ids of nodes.

import { gossipSuite } from './testing/suite/gossip-suite.ts';
import { RealNetwork } from './testing/suite/real-network.ts';

gossipSuite('TLS', () => [new RealNetwork()]);
