// Who takes part on a secure backend, and what each has to prove it. All of it is made anew for a run and kept in memory.

import { type Authority, createAuthority, createIdentity, type Identity } from '@trunkline/identity';
import type { TlsOptions } from '@trunkline/transport-tcp';

/** Papers of those who belong together, and of one who does not. */
export interface Roll<P> {
  readonly members: readonly P[];
  readonly stranger: P;
}

export interface Certified {
  readonly nodeId: string;
  readonly tls: TlsOptions;
}

/** Certificates: those of one authority know each other by it. The stranger's is of another authority. */
export async function certified(count: number): Promise<Roll<Certified>> {
  const authority = await createAuthority();
  const issue = async (issuer: Authority): Promise<Certified> => {
    const identity = createIdentity();
    return { nodeId: identity.nodeId, tls: { key: identity.key, cert: await issuer.issue(identity), ca: authority.cert } };
  };
  const members = await Promise.all(Array.from({ length: count }, () => issue(authority)));
  return { members, stranger: await issue(await createAuthority()) };
}

export interface Listed {
  readonly nodeId: string;
  readonly identity: Identity;
  readonly allow?: readonly string[] | undefined;
}

/** No certificates: each has the ids of all in a list. The stranger is in nobody's. */
export async function listed(count: number): Promise<Roll<Listed>> {
  const identities = Array.from({ length: count }, () => createIdentity());
  const allow = identities.map(({ nodeId }) => nodeId);
  const stranger = createIdentity();
  return {
    members: identities.map((identity) => ({ nodeId: identity.nodeId, identity, allow })),
    stranger: { nodeId: stranger.nodeId, identity: stranger },
  };
}
