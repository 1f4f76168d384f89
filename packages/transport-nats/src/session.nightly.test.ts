// Session tests over NATS.

import { NetworkTransport } from '@trunkline/transport-core/backend';
import { sessionSuite } from '@trunkline/transport-testkit/session';
import test from 'ava';
import { eager } from './testing/eager-layer.ts';
import { layerAt } from './testing/layers.ts';
import { serverOfFile } from './testing/server.ts';

const server = await serverOfFile();

if (server !== undefined)
  sessionSuite(test, {
    name: 'nats',
    stallTimeout: 30_000, // The server is another process, which may be busy.
    place: () => ({
      layer: () => eager(layerAt(server)),
      transport: (options) =>
        new NetworkTransport({
          ...options,
          stream: eager(layerAt(server, { clock: options.clock })),
        }),
    }),
  });
