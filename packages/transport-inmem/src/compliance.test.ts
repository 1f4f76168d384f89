// Runs the contract of a Transport on both in-memory transports: the direct one, and the full
// NetworkTransport over in-process streams.

import process from 'node:process';
import type { Protocol } from '@trunkline/transport-core';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { nodeProbe, transportSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { createInmemTransport, InmemTransport } from './direct/inmem-transport.ts';
import { createInmemStreams } from './stream/inmem-streams.ts';

transportSuite(test, {
  name: 'inmem direct',
  create: (options, { address: addr, wrap } = {}) =>
    wrap === undefined
      ? createInmemTransport({ ...options, addr })
      : new InmemTransport({ ...options, addr }, wrap),
  link(a, b) {
    const [one, other] = [a, b] as unknown as [InmemTransport<Protocol>, InmemTransport<Protocol>];
    one.connect(other.addr, other);
    other.connect(one.addr, one);
  },
  unreachable: () => 'nobody',
  probe: nodeProbe(process),
  skip: {
    'an advertised address is reported unchanged':
      'the direct transport takes no advertised address, because any text is a valid address',
    'listen on an address that cannot be dialed needs an advertised address':
      'any address can be advertised, because connect decides its meaning',
    'listen on an address in use fails with address_in_use, and may be tried again':
      'no address is ever in use, because connect decides who has it',
  },
});

const streams = createInmemStreams();

transportSuite(test, {
  name: 'inmem streams',
  create(options, { address, advertiseAddr, wrap } = {}) {
    const { clock, random } = options;
    const layer = streams.layer(address, { advertiseAddr, clock, random });
    return new NetworkTransport({ ...options, stream: wrap === undefined ? layer : wrap(layer) });
  },
  unreachable: () => 'inmem://nobody',
  probe: nodeProbe(process),
  skip: {
    'listen on an address that cannot be dialed needs an advertised address':
      'every name in this process can be dialed',
  },
});
