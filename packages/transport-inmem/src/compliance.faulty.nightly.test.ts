// Runs the contract of a Transport on in-memory streams wrapped by `faulty`: without faults, and
// over a line that delays.

import process from 'node:process';
import { faultyTransportSuite, nodeProbe } from '@trunkline/transport-testkit';
import test from 'ava';
import { createInmemStreams } from './stream/inmem-streams.ts';

const streams = createInmemStreams();

faultyTransportSuite(test, {
  name: 'streams',
  layer: ({ clock, random }, { address, advertiseAddr }) =>
    streams.layer(address, { advertiseAddr, clock, random }),
  unreachable: () => 'inmem://nobody',
  probe: nodeProbe(process),
  skip: {
    'listen on an address that cannot be dialed needs an advertised address':
      'every name in this process can be dialed',
  },
});
