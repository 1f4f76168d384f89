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
      'the direct transport takes no advertised address: its own is any text already',
    'an address that cannot be dialed is refused without an advertised one, and accepted with it':
      'every address can be told: connect says what it means',
    'an address that is in use is address_in_use, and listen may be tried again':
      'an address is taken by nobody: connect says whose it is',
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
    'an address that cannot be dialed is refused without an advertised one, and accepted with it':
      'every name in this process can be dialed',
  },
});
