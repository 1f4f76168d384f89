// Runs the cases that test core, and in which bytes matter, over TCP.

import process from 'node:process';
import { createTransport } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { nodeProbe, wrapped } from '@trunkline/transport-testkit';
import test from 'ava';
import { byteCases } from './testing/core/core-cases.ts';
import { register } from './transport/suite.ts';

register(
  test,
  {
    name: 'tcp',
    create(options, { address = 'tcp://127.0.0.1:0', advertiseAddr, wrap } = {}) {
      const backends = [wrapped(tcp(), wrap)];
      return createTransport(address, { ...options, advertiseAddr, backends });
    },
    // Port 1 of loopback: nothing listens below 1024 unless configured to.
    unreachable: () => 'tcp://127.0.0.1:1',
    probe: nodeProbe(process),
  },
  byteCases,
);
