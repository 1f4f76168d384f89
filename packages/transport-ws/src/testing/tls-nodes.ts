// Nodes of one authority: who makes transports for a suite gives each the next.

import { createAuthority, createIdentity } from '@trunkline/identity';
import type { TlsOptions } from '@trunkline/mutual-tls';

/** Gives what the next node is to be told as `tls`; every other one has a P-256 key. */
export async function tlsNodes(): Promise<() => TlsOptions> {
  const authority = await createAuthority();
  const nodes = await Promise.all(
    Array.from({ length: 5 }, async (_, i) => {
      const identity = createIdentity({ type: i % 2 === 0 ? 'ed25519' : 'p256' });
      return { key: identity.key, cert: await authority.issue(identity), ca: authority.cert };
    }),
  );
  let made = 0;
  return () => nodes[made++ % nodes.length]!;
}
