// Runs the contract of a Transport on both levels of the simulated network, as on every real
// backend.

import process from 'node:process';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { nodeProbe, transportSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import type { SimulationLevel } from './network/sim-network.ts';
import { liveNetwork } from './testing/live.ts';

for (const level of ['message', 'stream'] satisfies SimulationLevel[]) {
  const network = liveNetwork(level, { latency: [0, 2] });
  transportSuite(test, {
    name: `simulation, ${level} level`,
    create(options, { address, advertiseAddr, wrap } = {}) {
      const layer = network.layer(address, options.clock!, advertiseAddr);
      return new NetworkTransport({ ...options, stream: wrap === undefined ? layer : wrap(layer) });
    },
    unreachable: () => 'nobody',
    probe: nodeProbe(process),
    skip: {
      'listen on an address that cannot be dialed needs an advertised address':
        'every name of a node can be dialed',
    },
  });
}
