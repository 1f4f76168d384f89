// Names resolved by DNS: A, AAAA and SRV records, refreshed by their TTL.

export type { DnsExchange } from './dns/dns-query.ts';
export { createDnsResolver, type DnsResolverOptions } from './dns/dns-resolver.ts';
