// Keys and certificates of test nodes.

import {
  type Authority,
  createAuthority,
  createIdentity,
  type Identity,
  type IdentityKeyType,
} from '@trunkline/security';
import { seededRandom } from '@trunkline/transport-core/testing';
import { idOf } from './cluster.ts';

/** Returns a key that is always the same for the same name. */
export function identityOf(name: string, type: IdentityKeyType = 'ed25519'): Identity {
  return createIdentity({
    type,
    random: seededRandom(Number.parseInt(idOf(name).slice(0, 8), 16)),
  });
}

let authority: Promise<Authority> | undefined;

/**
 * Returns the key and the certificate of a new node, issued by an authority that all test nodes
 * share.
 */
export async function certifiedKey() {
  const { cert, issue } = await (authority ??= createAuthority());
  const identity = createIdentity();
  return { key: identity.key, cert: await issue(identity), ca: cert };
}
