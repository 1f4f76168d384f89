// Runs the contract of a Transport on in-memory streams wrapped by `faulty`: without faults, and
// over a line that delays.

import process from 'node:process';
import { systemClock } from '@trunkline/transport-core';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import {
  type FaultyOptions,
  faulty,
  nodeProbe,
  transportSuite,
} from '@trunkline/transport-testkit';
import test from 'ava';
import { createInmemStreams } from './stream/inmem-streams.ts';

const streams = createInmemStreams();
const lines: Record<string, FaultyOptions> = {
  'faulty streams': {},
  'faulty streams with a delay': { clock: systemClock, delay: 1, jitter: 1 },
};

const slow = 'so many dials and closes over a line that delays take longer than a case may';
const skip = {
  'a thousand transports that open, call and close leave handles and heap where they were': slow,
  'connections that come and go a thousand times leave nothing at either end': slow,
};

for (const [name, faults] of Object.entries(lines)) {
  transportSuite(test, {
    name,
    create(options, { address, advertiseAddr, wrap } = {}) {
      const { clock, random } = options;
      const layer = faulty(streams.layer(address, { advertiseAddr, clock, random }), faults);
      return new NetworkTransport({ ...options, stream: wrap === undefined ? layer : wrap(layer) });
    },
    unreachable: () => 'inmem://nobody',
    probe: nodeProbe(process),
    skip: {
      ...(faults.delay === undefined ? {} : skip),
      'an address that nobody can dial is refused without an advertised one, and taken with it':
        'every name in this process can be dialed',
    },
  });
}
