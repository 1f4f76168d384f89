// Trunkline over TCP with Noise.

import { secure } from '@trunkline/security/noise';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { createTcpStreamLayer } from '@trunkline/transport-tcp/layer';
import { identityOf } from '../secure/nodes.ts';
import { OPTIONS, trunkline } from './trunkline.ts';

export const trunklineNoise = trunkline(
  'trunkline-noise',
  async (role) =>
    new NetworkTransport({
      ...OPTIONS,
      stream: secure(createTcpStreamLayer(), { identity: identityOf(role) }),
    }),
);
