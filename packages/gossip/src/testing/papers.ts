// Keys and certificates of test nodes that prove who they are.

import { createAuthority, createIdentity } from '@trunkline/identity';

const authority = createAuthority();

/** Key and certificate of a new node of the one authority. */
export async function papers() {
  const { cert, issue } = await authority;
  const identity = createIdentity();
  return { key: identity.key, cert: await issue(identity), ca: cert };
}
