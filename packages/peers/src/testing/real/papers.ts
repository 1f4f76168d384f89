// Nodes that prove who they are: keys, and certificates of one authority.

import { type Authority, createAuthority, createIdentity, type Identity } from '@trunkline/identity';
import type { TcpTransportOptions } from '@trunkline/transport-tcp';

export interface Papers {
  readonly nodeId: string;
  readonly identity: Identity;
  readonly tls: NonNullable<TcpTransportOptions<any>['tls']>;
}

let authority: Promise<Authority> | undefined;

/** A new node of the one authority. */
export async function papers(): Promise<Papers> {
  authority ??= createAuthority();
  const { cert, issue } = await authority;
  const identity = createIdentity();
  return { nodeId: identity.nodeId, identity, tls: { key: identity.key, cert: await issue(identity), ca: cert } };
}
