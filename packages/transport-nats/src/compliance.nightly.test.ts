// Compliance tests of the NATS transport.

import process from 'node:process';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { nodeProbe, transportSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { layerAt, SHARED_NAME } from './testing/layers.ts';
import { serverOfFile } from './testing/server.ts';

const server = await serverOfFile();

if (server !== undefined)
  transportSuite(test, {
    name: 'nats',
    stallTimeout: 30_000, // The server is another process, which may be busy.
    create(options, { address, advertiseAddr, wrap } = {}) {
      const layer = layerAt(server, { address, advertiseAddr, clock: options.clock });
      return new NetworkTransport({ ...options, stream: wrap === undefined ? layer : wrap(layer) });
    },
    unreachable: () => `nats://${server.address}/nobody`,
    probe: nodeProbe(process),
    skip: {
      'a dialer that sends nothing is disconnected in time, and the next one is served meanwhile':
        'a dial is confirmed by its first bytes, so it is no connection before that',
      'listen on an address that cannot be dialed needs an advertised address':
        'a name can always be dialed',
      'listen on an address in use fails with address_in_use, and may be tried again': SHARED_NAME,
    },
  });
