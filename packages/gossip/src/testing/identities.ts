// Keys of test nodes.

import { createIdentity, type Identity, type IdentityKeyType } from '@trunkline/security';
import { seededRandom } from '@trunkline/transport-core/testing';
import { idOf } from './cluster.ts';

/** Returns a key that is always the same for the same name. */
export function identityOf(name: string, type: IdentityKeyType = 'ed25519'): Identity {
  return createIdentity({
    type,
    random: seededRandom(Number.parseInt(idOf(name).slice(0, 8), 16)),
  });
}
