// The suite in memory without a simulation, with messages passed directly and over streams.

import { NetworkTransport } from '@trunkline/transport-core/backend';
import {
  connectAll,
  createInmemStreams,
  createInmemTransport,
  type InmemTransport,
} from '@trunkline/transport-inmem';
import { idle } from './testing/cluster.ts';
import { gossipSuite } from './testing/suite/gossip-suite.ts';
import { real } from './testing/suite/real-network.ts';

gossipSuite(
  real('inmem direct', () => {
    const reachable = new Map<string, InmemTransport<typeof idle>>();
    return (addr) => ({
      proven: false,
      open() {
        const transport = createInmemTransport({ protocol: idle, addr });
        reachable.set(addr, transport);
        connectAll(...reachable.values());
        return transport;
      },
    });
  }),
);

gossipSuite(
  real('inmem streams', () => {
    const streams = createInmemStreams();
    return (name) => ({
      proven: false,
      open: () =>
        new NetworkTransport({ protocol: idle, stream: streams.layer(`inmem://${name}`) }),
    });
  }),
);
