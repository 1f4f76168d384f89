// Runs the cases that test core on both backends in memory: one carries frames, the other bytes.

import process from 'node:process';
import { createTransport } from '@trunkline/transport-core';
import { direct, inmem } from '@trunkline/transport-inmem';
import { nodeProbe, wrapped } from '@trunkline/transport-testkit';
import test from 'ava';
import { coreCases } from './testing/core/core-cases.ts';
import { register } from './transport/suite.ts';

const net = direct();
net.connectAll();

for (const [name, backend] of [
  ['inmem direct', net],
  ['inmem streams', inmem()],
] as const)
  register(
    test,
    {
      name,
      create(options, { address = 'inmem://', advertiseAddr, wrap } = {}) {
        const backends = [wrapped(backend, wrap)];
        return createTransport(address, { ...options, advertiseAddr, backends });
      },
      unreachable: () => 'inmem://nobody',
      probe: nodeProbe(process),
    },
    coreCases,
  );
