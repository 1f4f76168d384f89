// The session suite on hostile pipes in memory.

import { NetworkTransport } from '@trunkline/transport-core/backend';
import test from 'ava';
import { HostilePipes } from '../hostile-pipes.ts';
import { sessionSuite } from './session-suite.ts';

let seed = 0;

sessionSuite(test, {
  name: 'pipe',
  place() {
    const pipes = new HostilePipes(++seed);
    return {
      layer: () => pipes.layer(),
      transport: (options) => new NetworkTransport({ ...options, stream: pipes.layer() }),
      isBusy: () => pipes.isBusy(),
    };
  },
});
