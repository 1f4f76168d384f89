// The suite in simulation, on both levels.

import { gossipSuite } from './testing/suite/gossip-suite.ts';
import { simulated } from './testing/suite/simulated-network.ts';

gossipSuite(simulated('message', 2));
gossipSuite(simulated('stream', 2));
