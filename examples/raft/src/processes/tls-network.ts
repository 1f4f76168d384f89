// TLS between the processes: each node and client proves an identity of its own, which one
// authority certifies.

import { createAuthority, createIdentity, openAuthority } from '@trunkline/security';
import { createTcpStreamLayer, type TcpStreamLayer } from '@trunkline/transport-tcp/layer';

/** An authority, as it is passed to the processes. */
interface Prepared {
  readonly cert: string;
  readonly key: string;
}

export async function prepare(): Promise<Prepared> {
  const { cert, identity } = await createAuthority();
  return { cert, key: identity.key };
}

export async function layer(_name: string, { cert, key }: Prepared): Promise<TcpStreamLayer> {
  const authority = await openAuthority({ cert, key });
  const identity = createIdentity();
  const tls = { key: identity.key, cert: await authority.issue(identity), ca: cert };
  return createTcpStreamLayer({ bindAddr: '127.0.0.1:0', tls });
}
