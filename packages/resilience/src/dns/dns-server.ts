// A DNS server, and the exchange of messages with it. The declarations of dns-query.ts need the
// types of dns-packet, which users do not install; these do not.

/** A DNS server. */
export interface DnsServer {
  /** An IP address. */
  readonly host: string;
  readonly port: number;
}

/**
 * Sends a query to a server, and resolves to the answer. Both are messages in the format of RFC
 * 1035. Must reject when the signal aborts.
 *
 * @param server 'ip:port' or '[ipv6]:port'.
 */
export type DnsExchange = (
  server: string,
  query: Uint8Array,
  signal: AbortSignal,
) => Promise<Uint8Array>;
