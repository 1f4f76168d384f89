// Looks up the addresses behind a name, and determines how long they are valid.

import type { ResolvedAddress } from '@trunkline/transport-core';
import { formatHostPort, reasonError } from '@trunkline/transport-core/backend';
import type { DnsClient } from './dns-client.ts';
import { absolute, type DnsName, isName } from './dns-name.ts';
import type { Answer } from './dns-query.ts';

/** The result of a lookup. */
export interface Lookup {
  readonly addresses: readonly ResolvedAddress[];
  /**
   * The number of seconds for which the result is valid: the lowest TTL of its records; 0 if there
   * are no addresses, or if a part of the lookup has failed.
   */
  readonly ttl: number;
}

/** Settings of a lookup. */
export interface LookupOptions {
  readonly family: 'both' | 'ipv4' | 'ipv6';
  /** The text that is put before each 'host:port', such as 'tcp://'. */
  readonly prefix: string;
}

/** The IP addresses of a host. */
interface HostAddresses {
  readonly ips: readonly string[];
  readonly ttl: number;
}

/**
 * Looks up a name. Rejects with `unavailable` (reason `host_not_found`) if the name does not exist
 * or no server has answered without an error, and with the signal's reason if the signal aborts.
 */
export function lookUp(
  client: DnsClient,
  name: DnsName,
  options: LookupOptions,
  signal: AbortSignal,
): Promise<Lookup> {
  return name.type === 'host'
    ? lookUpHost(client, name, options, signal)
    : lookUpServices(client, name.name, options, signal);
}

async function lookUpHost(
  client: DnsClient,
  { host, port }: { readonly host: string; readonly port: number },
  options: LookupOptions,
  signal: AbortSignal,
): Promise<Lookup> {
  const { ips, ttl } = await addressesOf(client, host, options, signal);
  const addresses = ips.map((ip) => ({ address: options.prefix + formatHostPort(ip, port) }));
  return { addresses, ttl };
}

/**
 * Looks up SRV records and the hosts that they name. The addresses come from the additional records
 * of the answer, or from further questions. A host that can't be found is left out, as long as
 * another host is found.
 */
async function lookUpServices(
  client: DnsClient,
  name: string,
  options: LookupOptions,
  signal: AbortSignal,
): Promise<Lookup> {
  const answer = await client.ask(name, 'SRV', signal);
  if (answer === undefined) throw noSuchName(name);
  const owners = canonical(answer, name);
  const records = answer.answers.flatMap((record) =>
    record.type === 'SRV' && owners.names.has(absolute(record.name))
      ? [{ ...record.data, ttl: record.ttl ?? 0 }]
      : [],
  );
  // A target '.' says that the service is not available here (RFC 2782).
  const services = records.filter(({ target }) => isName(absolute(target))).slice(0, SERVICES);
  const known = additionalAddresses(answer, options);
  const found = await Promise.all(
    services.map(async ({ target }) => {
      const host = absolute(target);
      try {
        return known.get(host) ?? (await addressesOf(client, host, options, signal));
      } catch (error) {
        signal.throwIfAborted();
        return error;
      }
    }),
  );
  const hosts = found.filter((one): one is HostAddresses => !(one instanceof Error));
  if (services.length > 0 && hosts.length === 0) throw found[0];
  const addresses = services.flatMap(({ port, weight = 0, priority = 0 }, at) => {
    const host = found[at];
    if (host instanceof Error) return [];
    const { ips } = host as HostAddresses;
    return ips.map((ip) => ({
      address: options.prefix + formatHostPort(ip, port),
      weight: weight / ips.length,
      priority,
    }));
  });
  const ttls = [owners.ttl, ...records.map(({ ttl }) => ttl), ...hosts.map(({ ttl }) => ttl)];
  // If a host was not found, the name is looked up again soon.
  const isWhole = hosts.length === services.length && addresses.length > 0;
  return { addresses, ttl: isWhole ? Math.min(...ttls) : 0 };
}

/** Asks for A and AAAA records. Succeeds if one of the two questions succeeds. */
async function addressesOf(
  client: DnsClient,
  host: string,
  { family }: LookupOptions,
  signal: AbortSignal,
): Promise<HostAddresses> {
  const types = (['A', 'AAAA'] as const).filter(
    (type) => family === 'both' || (family === 'ipv4') === (type === 'A'),
  );
  const results = await Promise.allSettled(types.map((type) => client.ask(host, type, signal)));
  signal.throwIfAborted();
  const answers = results.flatMap((result) =>
    result.status === 'fulfilled' && result.value !== undefined ? [result.value] : [],
  );
  const records = answers.flatMap((answer) => {
    const owners = canonical(answer, host);
    return answer.answers.flatMap((record) =>
      (record.type === 'A' || record.type === 'AAAA') && owners.names.has(absolute(record.name))
        ? [{ ip: record.data, ttl: Math.min(record.ttl ?? 0, owners.ttl) }]
        : [],
    );
  });
  const failed = results.find((result) => result.status === 'rejected');
  if (records.length === 0 && failed !== undefined) throw failed.reason;
  if (answers.length === 0) throw noSuchName(host);
  const ips = records.slice(0, ADDRESSES).map(({ ip }) => ip);
  return {
    ips,
    // If one kind of record could not be looked up, the lookup is repeated soon.
    ttl: ips.length === 0 || failed !== undefined ? 0 : Math.min(...records.map(({ ttl }) => ttl)),
  };
}

/**
 * Returns the names that an answer leads to through CNAME records, and the lowest TTL of those
 * records.
 */
function canonical(
  { answers }: Answer,
  name: string,
): { readonly names: ReadonlySet<string>; readonly ttl: number } {
  const names = new Set([name]);
  let ttl = Number.POSITIVE_INFINITY;
  for (let isLonger = true; isLonger && names.size < CNAMES; ) {
    isLonger = false;
    for (const record of answers) {
      if (record.type !== 'CNAME' || !names.has(absolute(record.name))) continue;
      const target = absolute(record.data);
      if (names.has(target)) continue;
      names.add(target);
      ttl = Math.min(ttl, record.ttl ?? 0);
      isLonger = true;
    }
  }
  return { names, ttl };
}

/** Returns the IP addresses that accompanied SRV records, by host. */
function additionalAddresses(
  { additionals }: Answer,
  { family }: LookupOptions,
): ReadonlyMap<string, HostAddresses> {
  const hosts = new Map<string, { ips: string[]; ttl: number }>();
  for (const record of additionals) {
    if (record.type !== 'A' && record.type !== 'AAAA') continue;
    if (family !== 'both' && (family === 'ipv4') !== (record.type === 'A')) continue;
    const name = absolute(record.name);
    const host = hosts.get(name) ?? { ips: [], ttl: Number.POSITIVE_INFINITY };
    if (host.ips.length < ADDRESSES) host.ips.push(record.data);
    host.ttl = Math.min(host.ttl, record.ttl ?? 0);
    hosts.set(name, host);
  }
  return hosts;
}

function noSuchName(name: string): Error {
  return reasonError('host_not_found', `DNS: the name '${name}' does not exist`, {
    target: name,
    sent: false,
  });
}

/** The maximum number of SRV records of one name that are used. */
const SERVICES = 64;
/** The maximum number of IP addresses of one host that are used. */
const ADDRESSES = 256;
/** The number of names from which CNAME records are not followed further. */
const CNAMES = 16;
