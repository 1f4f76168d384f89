// Keys for tests, always the same for the same name.

import { createIdentity, type Identity, type KeyType } from '@trunkline/identity';
import { seededRandom } from '@trunkline/transport-core';
import { idOf } from './cluster.ts';

export function identityOf(name: string, type: KeyType = 'ed25519'): Identity {
  return createIdentity({
    type,
    random: seededRandom(Number.parseInt(idOf(name).slice(0, 8), 16)),
  });
}
