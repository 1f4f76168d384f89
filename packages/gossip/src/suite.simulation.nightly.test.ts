// The suite in simulation, over streams and over whole messages. Ids of nodes are not proven.

import { gossipSuite } from './testing/suite/gossip-suite.ts';
import { simulated } from './testing/suite/simulated-network.ts';

gossipSuite(simulated('message', 2));
gossipSuite(simulated('stream', 2));
