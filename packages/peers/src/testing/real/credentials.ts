// Keys, and certificates of one authority, for nodes that prove their ids.

import {
  type Authority,
  createAuthority,
  createIdentity,
  type Identity,
} from '@trunkline/security';
import type { TlsOptions } from '@trunkline/transport-tcp';

/** The identity of a node, with TLS options that prove it. */
export interface NodeCredentials {
  readonly nodeId: string;
  readonly identity: Identity;
  readonly tls: TlsOptions;
}

let authority: Promise<Authority> | undefined;

/** Creates a new identity with a certificate from the shared authority. */
export async function credentials(): Promise<NodeCredentials> {
  authority ??= createAuthority();
  const { cert, issue } = await authority;
  const identity = createIdentity();
  return {
    nodeId: identity.nodeId,
    identity,
    tls: { key: identity.key, cert: await issue(identity), ca: cert },
  };
}
