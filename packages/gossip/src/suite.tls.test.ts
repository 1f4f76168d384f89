// The suite over TCP on loopback with TLS.

import { gossipSuite } from './testing/suite/gossip-suite.ts';

gossipSuite();
