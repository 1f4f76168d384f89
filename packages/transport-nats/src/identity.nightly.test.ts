// Identity tests of Noise over NATS.

import { createIdentity, type Identity } from '@trunkline/security';
import { createNoiseStreamLayer } from '@trunkline/security/noise';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { identitySuite } from '@trunkline/transport-testkit/identity';
import test from 'ava';
import { eager } from './testing/eager-layer.ts';
import { layerAt } from './testing/layers.ts';
import { serverOfFile } from './testing/server.ts';

const server = await serverOfFile();
const REFUSAL = { reason: 'bad_certificate', says: /did not prove/ } as const;

if (server !== undefined)
  identitySuite<Identity>(test, {
    name: 'noise over nats',
    credentials: async (type) => createIdentity({ type }),
    transport(identity, options, { lists, address }) {
      const { clock } = options;
      const stream = createNoiseStreamLayer(eager(layerAt(server, { clock, address })), {
        identity,
        clock,
        ...lists,
      });
      return {
        transport: new NetworkTransport({ ...options, stream }),
        update: async ({ allow, deny }) => stream.updatePeers({ allow, deny }),
      };
    },
    layer: (identity) => createNoiseStreamLayer(eager(layerAt(server)), { identity }),
    plain: {
      transport: (options) =>
        new NetworkTransport({
          ...options,
          stream: eager(layerAt(server, { clock: options.clock })),
        }),
    },
    refused: {
      'a proof signed with another key': {
        ...REFUSAL,
        make: async (victim) =>
          impostor(victim, (message) => createIdentity({ type: victim.type }).sign(message)),
      },
      'a proof whose signature is zeros': {
        ...REFUSAL,
        make: async (victim) => impostor(victim, () => new Uint8Array(64)),
      },
      'a proof with a signature of other data': {
        ...REFUSAL,
        make: async (victim) =>
          impostor(victim, () => victim.sign(new TextEncoder().encode('hello'))),
      },
    },
    beneath: { layer: () => eager(layerAt(server)) },
  });

/** Returns an identity with the victim's public key and another signing function. */
function impostor(victim: Identity, sign: Identity['sign']): Identity {
  const { nodeId, type, publicKey, key, verify } = victim;
  return { nodeId, type, publicKey, key, sign, verify };
}
