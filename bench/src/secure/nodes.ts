// The two nodes of a measurement, and the authority that signs for both. Every process derives the
// same keys from one seed, so that no key has to be passed between processes: right for a benchmark
// on loopback, and nowhere else.

import { createAuthority, createIdentity, type Identity } from '@trunkline/security';
import type { Random } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import type { TlsOptions } from '@trunkline/transport-tcp';

export type Role = 'server' | 'client';

/** Returns the node's identity: an Ed25519 key, the default of `createIdentity`. */
export function identityOf(role: Role): Identity {
  return createIdentity({ random: drawn(role) });
}

/** Returns the `tls` option of a node: its key, a certificate, and the authority of both nodes. */
export async function tlsOf(role: Role): Promise<TlsOptions> {
  const authority = await createAuthority({
    identity: createIdentity({ random: drawn('authority') }),
  });
  const identity = identityOf(role);
  return { key: identity.key, cert: await authority.issue(identity), ca: authority.cert };
}

function drawn(name: keyof typeof SEEDS): Random {
  return seededRandom(SEEDS[name]);
}

const SEEDS = { authority: 1, server: 2, client: 3 };
