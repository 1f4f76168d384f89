// Runs the session suite on the testkit's own pipes: core's sessions without any backend.

import { NetworkTransport } from '@trunkline/transport-core/backend';
import test from 'ava';
import { createPipes } from '../testing/pipes.ts';
import { sessionSuite } from './session-suite.ts';

sessionSuite(test, {
  name: 'pipes',
  place() {
    const pipes = createPipes();
    return {
      layer: () => pipes.layer(),
      transport: (options) => new NetworkTransport({ ...options, stream: pipes.layer() }),
    };
  },
});
