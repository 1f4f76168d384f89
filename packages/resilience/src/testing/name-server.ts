// A DNS server in a simulated network. Its queries and answers are messages of DNS, carried by
// calls.

import type { Simulation } from '@trunkline/simulation';
import {
  bytes,
  type Clock,
  defineProtocol,
  type Random,
  type Resolver,
  serve,
  type Transport,
} from '@trunkline/transport-core';
import { type Answer, decode, encode } from 'dns-packet';
import { createDnsResolver } from '../index.dns.ts';

/** The nodes that the server can list; their names are IP addresses. */
export const ADDRESSES = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
/** The name of their SRV records. */
export const SERVICE = '_rpc._tcp.ledger.test';

/** The protocol that carries messages of DNS. */
export const dns = defineProtocol({
  name: 'dns',
  channel: 0x21,
  methods: { ask: { id: 1, request: bytes, response: bytes } },
});

/** Adds the server to a simulation; `listed` are the addresses in its answers. */
export function startNameServer(sim: Simulation, listed: ReadonlySet<string>): void {
  sim.node('dns', async ({ transport }) => {
    const net = transport(dns);
    serve(net, { ask: (query) => answer(query, listed) });
    await net.listen();
    return () => net.close();
  });
}

/** Returns a resolver that asks the server over a client's transport. */
export function dnsResolver(net: Transport<typeof dns>, clock: Clock, random: Random): Resolver {
  const resolver = createDnsResolver({
    servers: ['10.0.0.53'],
    exchange: (_server, query, signal) => net.send('dns', 'ask', query, { signal }),
    clock,
    random,
  });
  return {
    handles: (target) => resolver.handles(target),
    resolveNow: (target) => resolver.resolveNow?.(target),
    watch: (target, observer) =>
      resolver.watch(target, {
        // Addresses in a simulation have no ports.
        resolved: (list) =>
          observer.resolved(
            list.map((each) => ({ ...each, address: each.address.replace(/:.*/, '') })),
          ),
        failed: (error) => observer.failed(error),
      }),
  };
}

function answer(query: Uint8Array, listed: ReadonlySet<string>): Uint8Array {
  const { id = 0, questions = [] } = decode(Buffer.from(query));
  const records = [...listed].map((ip): [Answer, Answer] => {
    const host = `host-${ip.replaceAll('.', '-')}.test`;
    return [
      { type: 'SRV', name: SERVICE, ttl: 1, data: { target: host, port: 7_000 } },
      { type: 'A', name: host, ttl: 1, data: ip },
    ];
  });
  const [answers, additionals] = [records.map(([srv]) => srv), records.map(([, a]) => a)];
  return encode({ type: 'response', id, questions, answers, additionals });
}
