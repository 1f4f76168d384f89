// Runs the rules of a stream layer on the simulated network.

import { streamLayerSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { liveNetwork } from './testing/live.ts';

streamLayerSuite(test, {
  name: 'simulation',
  make({ clock }) {
    const network = liveNetwork('stream', { latency: [0, 2], fragment: 0.2 });
    return {
      layer: (address, advertiseAddr) => network.layer(address, clock, advertiseAddr),
      malformed: ['', 'tcp://127.0.0.1:7000', 'two words', 'a:1', 'a/b/c'],
    };
  },
});
