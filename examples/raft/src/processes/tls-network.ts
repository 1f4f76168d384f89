// TLS between the processes: each node and client proves an identity of its own, which one
// authority certifies.

import { createAuthority, createIdentity, openAuthority } from '@trunkline/security';
import { createTcpStreamLayer } from '@trunkline/transport-tcp/layer';

/** Creates an authority, which is passed to the processes. */
export async function prepare() {
  const { cert, identity } = await createAuthority();
  return { cert, key: identity.key };
}

export async function layer(_name: string, prepared: Awaited<ReturnType<typeof prepare>>) {
  const authority = await openAuthority(prepared);
  const identity = createIdentity();
  const tls = { key: identity.key, cert: await authority.issue(identity), ca: prepared.cert };
  return createTcpStreamLayer({ bindAddr: '127.0.0.1:0', tls });
}
