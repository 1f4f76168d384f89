// The suite in memory without a simulation, with messages passed directly and over streams.

import { createTransport } from '@trunkline/transport-core';
import { direct, inmem } from '@trunkline/transport-inmem';
import { idle } from './testing/cluster.ts';
import { gossipSuite } from './testing/suite/gossip-suite.ts';
import { real } from './testing/suite/real-network.ts';

gossipSuite(
  real('inmem direct', () => {
    const net = direct();
    net.connectAll();
    return (name) => ({
      proven: false,
      open: () => createTransport(`inmem://${name}`, { protocol: idle, backends: [net] }),
    });
  }),
);

gossipSuite(
  real('inmem streams', () => {
    const streams = inmem();
    return (name) => ({
      proven: false,
      open: () => createTransport(`inmem://${name}`, { protocol: idle, backends: [streams] }),
    });
  }),
);
