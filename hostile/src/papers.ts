// The keys and certificates of a run: for the victim, an honest peer, and an attacker certified by
// the same authority.

import { createAuthority, createIdentity } from '@trunkline/identity';

/** A private key and its certificate, as PEM. */
export interface Paper {
  readonly key: string;
  readonly cert: string;
}

export interface Papers {
  readonly ca: string;
  readonly victim: Paper;
  readonly honest: Paper;
  readonly enemy: Paper;
  /** Papers from another authority. */
  readonly stranger: Paper;
}

export async function issuePapers(): Promise<Papers> {
  const authority = await createAuthority({ name: 'hostile' });
  const another = await createAuthority({ name: 'another' });
  const paper = async (issuer = authority): Promise<Paper> => {
    const identity = createIdentity();
    return { key: identity.key, cert: await issuer.issue(identity) };
  };
  return {
    ca: authority.cert,
    victim: await paper(),
    honest: await paper(),
    enemy: await paper(),
    stranger: await paper(another),
  };
}
