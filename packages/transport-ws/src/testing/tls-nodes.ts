// TLS nodes of one authority; a suite gives each of its transports the next one.

import { createAuthority, createIdentity } from '@trunkline/identity';
import type { TlsOptions } from '@trunkline/mutual-tls';

/**
 * Returns a function that yields the `tls` option of the next node; every other node has a P-256
 * key.
 */
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
