// The identities of a secure backend and their proofs, created for each run and kept in
// memory.

import {
  type Authority,
  createAuthority,
  createIdentity,
  type Identity,
} from '@trunkline/security';
import type { TlsOptions } from '@trunkline/transport-tcp';

/** The credentials of the members, and those of one stranger. */
export interface DemoCredentials<P> {
  readonly members: readonly P[];
  readonly stranger: P;
}

export interface Certified {
  readonly nodeId: string;
  readonly tls: TlsOptions;
}

/**
 * Creates certificates. Members share an authority and so recognize each other; the stranger's
 * certificate is from another authority.
 */
export async function certified(count: number): Promise<DemoCredentials<Certified>> {
  const authority = await createAuthority();
  const issue = async (issuer: Authority): Promise<Certified> => {
    const identity = createIdentity();
    return {
      nodeId: identity.nodeId,
      tls: { key: identity.key, cert: await issuer.issue(identity), ca: authority.cert },
    };
  };
  const members = await Promise.all(Array.from({ length: count }, () => issue(authority)));
  return { members, stranger: await issue(await createAuthority()) };
}

export interface Listed {
  readonly nodeId: string;
  readonly identity: Identity;
  readonly allow?: readonly string[] | undefined;
}

/**
 * Creates identities without certificates. Each member has a list of all members' ids; the stranger
 * is in none.
 */
export async function listed(count: number): Promise<DemoCredentials<Listed>> {
  const identities = Array.from({ length: count }, () => createIdentity());
  const allow = identities.map(({ nodeId }) => nodeId);
  const stranger = createIdentity();
  return {
    members: identities.map((identity) => ({ nodeId: identity.nodeId, identity, allow })),
    stranger: { nodeId: stranger.nodeId, identity: stranger },
  };
}
