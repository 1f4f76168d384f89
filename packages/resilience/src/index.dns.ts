// Names resolved by DNS: A, AAAA and SRV records, refreshed by their TTL.

export { createDnsResolver, type DnsResolverOptions } from './dns/dns-resolver.ts';
export type { DnsExchange } from './dns/dns-server.ts';
