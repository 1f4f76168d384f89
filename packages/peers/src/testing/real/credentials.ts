// Keys, and certificates of one authority, for nodes that prove their ids.

import { createAuthority, createIdentity } from '@trunkline/security';
import type { TlsOptions } from '@trunkline/transport-tcp';

/** The identity of a node, with TLS options that prove it. */
export type NodeCredentials = Awaited<ReturnType<typeof credentials>>;

const authority = createAuthority();

/** Creates a new identity with a certificate from the shared authority. */
export async function credentials() {
  const { cert: ca, issue } = await authority;
  const identity = createIdentity();
  const tls: TlsOptions = { key: identity.key, cert: await issue(identity), ca };
  return { nodeId: identity.nodeId, identity, tls };
}
