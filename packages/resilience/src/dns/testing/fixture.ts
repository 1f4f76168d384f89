// A resolver that asks a DNS server of the test, on a clock that the test moves.

import { createManualClock, seededRandom } from '@trunkline/transport-core/testing';
import type { ExecutionContext } from 'ava';
import { createDnsResolver, type DnsResolverOptions } from '../dns-resolver.ts';
import { DnsServer } from './dns-server.ts';
import { Watching } from './watching.ts';

/** Starts a server and creates a resolver that asks it. */
export async function dnsFixture(t: ExecutionContext, options: DnsResolverOptions = {}) {
  const server = await DnsServer.start();
  const clock = createManualClock();
  const resolver = createDnsResolver({
    servers: [server.address],
    clock,
    random: seededRandom(1),
    ...options,
  });
  const watched: Watching[] = [];
  const watch = (target: string) => {
    const watching = new Watching(resolver, target);
    watched.push(watching);
    return watching;
  };
  t.teardown(async () => {
    for (const watching of watched) watching.stop();
    await server.close();
  });
  return { server, clock, resolver, watch };
}
