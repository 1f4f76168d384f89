// Runs the rules of a single connection over simulated streams whose chunks arrive late and in
// pieces.

import { systemClock } from '@trunkline/transport-core';
import { sessionSuite } from '@trunkline/transport-testkit/session';
import test from 'ava';
import { liveNetwork } from './testing/live.ts';

sessionSuite(test, {
  name: 'simulation, stream level',
  place() {
    const network = liveNetwork('stream', { latency: [0, 2], fragment: 0.2 });
    return {
      layer: () => network.layer(undefined, systemClock),
      transport: (options) => network.transport(options),
    };
  },
});
