// The session suite on hostile pipes in memory.

import { NetworkTransport } from '@trunkline/transport-core/backend';
import test from 'ava';
import { HostilePipes } from '../hostile-pipes.ts';
import { sessionSuite } from './session-suite.ts';

sessionSuite(test, {
  name: 'pipe',
  place(title) {
    const pipes = new HostilePipes(title);
    return {
      layer: () => pipes.layer(),
      transport: (options) => new NetworkTransport({ ...options, stream: pipes.layer() }),
      isBusy: () => pipes.isBusy(),
    };
  },
});
