// The identity suite's backend of Noise, over any layer.

import type { Clock } from '@trunkline/transport-core';
import { NetworkTransport, type StreamLayer } from '@trunkline/transport-core/backend';
import type { IdentityBackend } from '@trunkline/transport-testkit/identity';
import { createIdentity, type Identity } from '../../identity/identity.ts';
import { createNoiseStreamLayer } from '../create-noise-stream-layer.ts';

/** Returns the identity backend for Noise over the given kind of layer. */
export function noiseOver(
  name: string,
  bare: (clock?: Clock, address?: string) => StreamLayer,
): IdentityBackend<Identity> {
  return {
    name: `noise over ${name}`,
    credentials: async (type) => createIdentity({ type }),
    transport(identity, options, { lists, address }) {
      const stream = createNoiseStreamLayer(bare(options.clock, address), {
        identity,
        clock: options.clock,
        ...lists,
      });
      return {
        transport: new NetworkTransport({ ...options, stream }),
        update: async ({ allow, deny }) => stream.updatePeers({ allow, deny }),
      };
    },
    layer: (identity) => createNoiseStreamLayer(bare(), { identity }),
    plain: {
      transport: (options) => new NetworkTransport({ ...options, stream: bare(options.clock) }),
    },
    beneath: { layer: () => bare() },
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
  };
}

/** Returns an identity with the victim's public key and another signing function. */
function impostor(victim: Identity, sign: Identity['sign']): Identity {
  const { nodeId, type, publicKey, key, verify } = victim;
  return { nodeId, type, publicKey, key, sign, verify };
}

const REFUSAL = { reason: 'bad_certificate', says: /did not prove/ } as const;
