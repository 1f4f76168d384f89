// Noise over WebRTC as a backend of the identity suite.

import { createIdentity, type Identity } from '@trunkline/security';
import { createNoiseStreamLayer } from '@trunkline/security/noise';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { createTransitWatch } from '@trunkline/transport-testkit';
import type { IdentityBackend } from '@trunkline/transport-testkit/identity';
import { HANDSHAKE_TIME, LOST_AFTER, type TestRealm } from './layers.ts';

/**
 * Creates the backend; `skip` has cases to skip, with the reasons. Its cases must be serial,
 * because `isBusy` applies to all cases that run.
 */
export function createNoiseBackend(
  name: string,
  realm: TestRealm,
  skip?: IdentityBackend['skip'],
): IdentityBackend<Identity> {
  const transit = createTransitWatch({ lostAfter: LOST_AFTER });
  const layer = (options?: Parameters<typeof realm.layer>[0]) =>
    transit.watch(realm.layer(options));
  return {
    name,
    credentials: async (type) => createIdentity({ type }),
    transport(identity, options, { lists, address }) {
      const { clock } = options;
      const stream = createNoiseStreamLayer(layer({ clock, address }), {
        identity,
        clock,
        ...lists,
      });
      return {
        transport: new NetworkTransport({ ...options, stream }),
        update: async ({ allow, deny }) => stream.updatePeers({ allow, deny }),
      };
    },
    layer: (identity) => createNoiseStreamLayer(layer(), { identity }),
    plain: {
      transport: (options) =>
        new NetworkTransport({ ...options, stream: layer({ clock: options.clock }) }),
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
    stallTimeout: HANDSHAKE_TIME,
    beneath: { layer: () => layer(), dialsWait: true, isBusy: transit.isBusy },
    skip,
  };
}

/** Returns an identity with the victim's public key and another signing function. */
function impostor(victim: Identity, sign: Identity['sign']): Identity {
  const { nodeId, type, publicKey, key, verify } = victim;
  return { nodeId, type, publicKey, key, sign, verify };
}

const REFUSAL = { reason: 'bad_certificate', says: /did not prove/ } as const;
