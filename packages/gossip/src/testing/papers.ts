// Keys and certificates of test nodes that prove their ids.

import { createAuthority, createIdentity } from '@trunkline/identity';

const authority = createAuthority();

/**
 * Returns the key and the certificate of a new node, issued by an authority that all test nodes
 * share.
 */
export async function papers() {
  const { cert, issue } = await authority;
  const identity = createIdentity();
  return { key: identity.key, cert: await issue(identity), ca: cert };
}
