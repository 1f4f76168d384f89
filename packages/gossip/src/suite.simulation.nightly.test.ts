// The suite in simulation, over streams and over whole messages. Ids of nodes are not proven.

import { runs } from './testing/cluster.ts';
import { gossipSuite } from './testing/suite/gossip-suite.ts';
import { SimulatedNetwork } from './testing/suite/simulated-network.ts';

for (const level of ['message', 'stream'] as const)
  gossipSuite(`simulation of ${level}s`, () =>
    runs(2, [level]).map((run) => new SimulatedNetwork(run)),
  );
