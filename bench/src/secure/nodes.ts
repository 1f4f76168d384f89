// The two nodes of a measurement, and the authority that vouches for both. Every process draws the same keys from one seed, so that
// none has to be passed from process to process: right for a benchmark on loopback, and nowhere else.

import { createAuthority, createIdentity, type Identity } from '@trunkline/identity';
import { type Random, seededRandom } from '@trunkline/transport-core';
import type { TlsOptions } from '@trunkline/transport-tcp';

export type Role = 'server' | 'client';

/** Its key: Ed25519, the default of `createIdentity`. */
export function identityOf(role: Role): Identity {
  return createIdentity({ random: drawn(role) });
}

/** What the option `tls` takes: its key, a certificate, and the authority of both. */
export async function tlsOf(role: Role): Promise<TlsOptions> {
  const authority = await createAuthority({ identity: createIdentity({ random: drawn('authority') }) });
  const identity = identityOf(role);
  return { key: identity.key, cert: await authority.issue(identity), ca: authority.cert };
}

function drawn(name: keyof typeof SEEDS): Random {
  return seededRandom(SEEDS[name]);
}

const SEEDS = { authority: 1, server: 2, client: 3 };
