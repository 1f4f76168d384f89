// The suite on the testkit's own pipes: core's sessions with no backend at all.

import { NetworkTransport } from '@trunkline/transport-core';
import test from 'ava';
import { createPipes } from '../testing/pipes.ts';
import { sessionSuite } from './session-suite.ts';

sessionSuite(test, {
  name: 'pipes',
  place() {
    const pipes = createPipes();
    return { layer: () => pipes.layer(), transport: (options) => new NetworkTransport({ ...options, stream: pipes.layer() }) };
  },
});
