// Stream layer tests of NATS.

import { streamLayerSuite } from '@trunkline/transport-testkit';
import test from 'ava';
import { eager } from './testing/eager-layer.ts';
import { layerAt, MALFORMED, SHARED_NAME } from './testing/layers.ts';
import { serverOfFile } from './testing/server.ts';

const server = await serverOfFile();

if (server !== undefined)
  streamLayerSuite(test, {
    name: 'nats',
    stallTimeout: 30_000, // The server is another process, which may be busy.
    make: ({ clock }) => ({
      layer: (address, advertiseAddr) => eager(layerAt(server, { address, advertiseAddr, clock })),
      malformed: MALFORMED,
    }),
    skip: {
      'listen on an address in use fails with address_in_use, and the first layer continues':
        SHARED_NAME,
      'a layer whose listen failed can listen after the address is free': SHARED_NAME,
    },
  });
