// Trunkline over TCP with Noise.

import { createNoiseStreamLayer } from '@trunkline/security/noise';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { createTcpStreamLayer } from '@trunkline/transport-tcp/layer';
import { identityOf } from '../secure/nodes.ts';
import { OPTIONS, trunkline } from './trunkline.ts';

export const trunklineNoise = trunkline(
  'trunkline-noise',
  async (role) =>
    new NetworkTransport({
      ...OPTIONS,
      stream: createNoiseStreamLayer(createTcpStreamLayer(), { identity: identityOf(role) }),
    }),
);
