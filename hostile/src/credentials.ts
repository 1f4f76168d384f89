// The keys and certificates of a run: for the victim, an honest peer, and an attacker certified by
// the same authority.

import { createAuthority, createIdentity } from '@trunkline/security';

/** A private key and its certificate, as PEM. */
export interface Credentials {
  readonly key: string;
  readonly cert: string;
}

export interface RunCredentials {
  readonly ca: string;
  readonly victim: Credentials;
  readonly honest: Credentials;
  readonly attacker: Credentials;
  /** RunCredentials from another authority. */
  readonly stranger: Credentials;
}

export async function issueCredentials(): Promise<RunCredentials> {
  const authority = await createAuthority({ name: 'hostile' });
  const another = await createAuthority({ name: 'another' });
  const credentials = async (issuer = authority): Promise<Credentials> => {
    const identity = createIdentity();
    return { key: identity.key, cert: await issuer.issue(identity) };
  };
  return {
    ca: authority.cert,
    victim: await credentials(),
    honest: await credentials(),
    attacker: await credentials(),
    stranger: await credentials(another),
  };
}
