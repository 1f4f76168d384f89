// Runs the contract of a Transport on both in-memory backends.

import process from 'node:process';
import { createTransport } from '@trunkline/transport-core';
import { nodeProbe, transportSuite, wrapped } from '@trunkline/transport-testkit';
import test from 'ava';
import { direct } from './direct/direct.ts';
import { inmem } from './inmem.ts';

const net = direct();
net.connectAll();

for (const [name, backend] of [
  ['inmem direct', net],
  ['inmem streams', inmem()],
] as const)
  transportSuite(test, {
    name,
    create(options, { address = 'inmem://', advertiseAddr, wrap } = {}) {
      const backends = [wrapped(backend, wrap)];
      return createTransport(address, { ...options, advertiseAddr, backends });
    },
    unreachable: () => 'inmem://nobody',
    probe: nodeProbe(process),
    skip: {
      'listen on an address that cannot be dialed needs an advertised address':
        'every name in this process can be dialed',
    },
  });
