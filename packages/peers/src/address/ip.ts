// Parses and formats IP addresses as bytes: 4 for IPv4, 16 for IPv6. Tested in ip.test.ts.

import { type Bytes, parseHostPort } from '@trunkline/transport-core/backend';

/**
 * Parses '10.0.0.1', '::1', '[::1]' and 'fe80::1%eth0'. The zone is dropped, because it has a
 * meaning only on one machine. IPv4 mapped into IPv6 ('::ffff:10.0.0.1') gives 4 bytes.
 *
 * Returns undefined for anything else, including forms that only old C libraries read as IPv4
 * ('127.1', '0x7f000001', '010.0.0.1'). Parsers disagree about those, and a filter is useless if
 * the dialer reads a different address than the filter did.
 */
export function parseIp(text: string): Bytes | undefined {
  if (!text.includes(':')) return parseIPv4(text);
  const literal = /^\[.*\]$/su.test(text) ? text : `[${text}]`;
  const host = parseHostPort(`${literal}:0`)?.host.replace(/%.*$/su, '');
  if (!host?.includes(':')) return host === undefined ? undefined : parseIPv4(host);
  const [head, tail = ''] = host.split('::');
  const ip = new Uint8Array(16);
  ip.set(bytesOf(head!));
  ip.set(bytesOf(tail), 16 - bytesOf(tail).length);
  return ip;
}

/**
 * Formats an address of 4 or 16 bytes in its canonical spelling: RFC 5952 for IPv6, without
 * brackets.
 */
export function formatIp(ip: Uint8Array): string {
  if (ip.length === 4) return ip.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => (ip[2 * i]! << 8) | ip[2 * i + 1]!);
  const text = groups.map((group) => group.toString(16)).join(':');
  return parseHostPort(`[${text}]:0`)!.host;
}

/**
 * Returns true if the first `bits` bits equal those of `prefix`. Missing bytes of the prefix count
 * as 0.
 */
export function startsWith(ip: Uint8Array, prefix: readonly number[], bits: number): boolean {
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (ip[i] !== (prefix[i] ?? 0)) return false;
  const rest = bits & 7;
  return rest === 0 || ip[whole]! >> (8 - rest) === (prefix[whole] ?? 0) >> (8 - rest);
}

/** A range of addresses: those whose first `bits` bits equal those of `prefix`. */
export interface IpRange {
  readonly prefix: Uint8Array;
  readonly bits: number;
}

/** Parses '10.0.0.0/8', 'fd00::/8' or one address; returns undefined for anything else. */
export function parseRange(text: string): IpRange | undefined {
  const [, address = '', digits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const prefix = parseIp(address);
  const bits = digits === undefined ? (prefix?.length ?? 0) * 8 : Number(digits);
  return prefix !== undefined && bits <= prefix.length * 8 ? { prefix, bits } : undefined;
}

export function inRange(ip: Uint8Array, { prefix, bits }: IpRange): boolean {
  return ip.length === prefix.length && startsWith(ip, [...prefix], bits);
}

function parseIPv4(text: string): Bytes | undefined {
  const parts = text.split('.');
  const isIp = parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
  return isIp && parts.length === 4 ? Uint8Array.from(parts, Number) : undefined;
}

/** Returns the bytes of groups of hex digits. */
function bytesOf(groups: string): number[] {
  return groups.split(':').flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return group === '' ? [] : [value >> 8, value & 255];
  });
}

// Classifies IP addresses: public, private, this machine, or a special-purpose kind. `isDialable`
// in place.ts decides which kinds may be dialed.

/**
 * The kind of an IP address:
 * - `public`: reached over the internet. `private`: internal to a site (RFC 1918, RFC 4193).
 *   `shared`: internal to a carrier (RFC 6598, 100.64/10).
 * - `loopback`, `link_local`, `multicast`, `unspecified`: the standard meanings.
 * - `metadata`: the address of a cloud's metadata service, which gives a machine's secrets to any
 *   process on that machine.
 * - `reserved`: for documentation, for benchmarks, or unassigned (IANA's registries of
 *   special-purpose addresses).
 */
export type IpKind =
  | 'public'
  | 'private'
  | 'shared'
  | 'loopback'
  | 'link_local'
  | 'multicast'
  | 'unspecified'
  | 'metadata'
  | 'reserved';

/**
 * Returns the kind of an address of 4 or 16 bytes, as `parseIp` returns it; IPv4-mapped addresses
 * must have 4. An address that leads through a tunnel or a public translator to an IPv4 address has
 * the kind of that IPv4 address.
 */
export function kindOfIp(ip: Uint8Array): IpKind {
  if (ip.length === 4) return rowOf(ip, IPV4) ?? 'public';
  const found = rowOf(ip, IPV6);
  if (found !== undefined) return found;
  const ipv4 = embeddedIPv4(ip);
  if (ipv4 !== undefined) return kindOfIp(ipv4);
  // RFC 8215: a translator internal to a site, so the address is private, no matter where it leads.
  // Its prefix may have any length; with the usual 96 bits, the last 4 bytes show a metadata
  // address.
  if (startsWith(ip, [0x00, 0x64, 0xff, 0x9b, 0x00, 0x01], 48))
    return kindOfIp(ip.subarray(12)) === 'metadata' ? 'metadata' : 'private';
  // IANA has assigned global unicast addresses from 2000::/3 alone.
  return startsWith(ip, [0x20], 3) ? 'public' : 'reserved';
}

/**
 * Returns the IPv4 address embedded in an IPv6 address of one of these forms, otherwise undefined:
 * 6to4 (RFC 3056), Teredo (RFC 4380), NAT64 (RFC 6052), IPv4-translated (RFC 2765), IPv4-compatible
 * (RFC 4291 2.5.5.1, deprecated). The last form includes `::` and `::1`.
 */
export function embeddedIPv4(ip: Uint8Array): Uint8Array | undefined {
  if (ip.length === 4) return undefined;
  if (startsWith(ip, [0x20, 0x02], 16)) return ip.subarray(2, 6);
  if (startsWith(ip, [0x20, 0x01, 0x00, 0x00], 32)) return ip.slice(12).map((byte) => byte ^ 0xff);
  const isTail = TAIL_PREFIXES.some((prefix) => startsWith(ip, prefix, 96));
  return isTail ? ip.subarray(12) : undefined;
}

/**
 * A range of addresses and its kind, undefined if that is the kind of an embedded IPv4 address.
 * `startsWith` pads the prefix with zeros.
 */
type Row = readonly [prefix: readonly number[], bits: number, kind: IpKind | undefined];

function rowOf(ip: Uint8Array, rows: readonly Row[]): IpKind | undefined {
  return rows.find(([prefix, bits]) => startsWith(ip, prefix, bits))?.[2];
}

/** The ranges of IPv4. Here and in `IPV6`, the first row that matches counts. */
const IPV4: readonly Row[] = [
  [[169, 254, 169, 254], 32, 'metadata'], // AWS, Azure, Google and most others.
  [[169, 254, 170, 2], 32, 'metadata'], // AWS ECS.
  [[169, 254, 170, 23], 32, 'metadata'], // AWS EKS.
  [[169, 254, 42, 42], 32, 'metadata'], // Scaleway.
  [[100, 100, 100, 200], 32, 'metadata'], // Alibaba.
  [[168, 63, 129, 16], 32, 'metadata'], // Azure's WireServer.
  [[192, 0, 0, 192], 32, 'metadata'], // Oracle, classic.
  [[0, 0, 0, 0], 32, 'unspecified'],
  [[0], 8, 'reserved'],
  [[10], 8, 'private'],
  [[100, 64], 10, 'shared'],
  [[127], 8, 'loopback'],
  [[169, 254], 16, 'link_local'],
  [[172, 16], 12, 'private'],
  [[192, 0, 0], 24, 'reserved'], // IETF protocol assignments.
  [[192, 0, 2], 24, 'reserved'], // Documentation.
  [[192, 88, 99], 24, 'reserved'], // 6to4 relays, deprecated.
  [[192, 168], 16, 'private'],
  [[198, 18], 15, 'reserved'], // Benchmarks.
  [[198, 51, 100], 24, 'reserved'], // Documentation.
  [[203, 0, 113], 24, 'reserved'], // Documentation.
  [[224], 4, 'multicast'],
  [[240], 4, 'reserved'], // Also broadcast.
];

const IPV6: readonly Row[] = [
  [[], 128, 'unspecified'],
  [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 128, 'loopback'],
  [[0xfd, 0, 0x0e, 0xc2], 32, 'metadata'], // AWS, its services at fd00:ec2::.
  [[0xfd, 0, 0, 0xc1, 0, 0, 0, 0, 0, 0, 0, 0, 0xa9, 0xfe, 0xa9, 0xfe], 128, 'metadata'], // Oracle.
  [[0xfd, 0, 0, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x42], 128, 'metadata'], // Scaleway.
  [[0xfd, 0x20, 0, 0xce, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54], 128, 'metadata'], // Google.
  [[0xfc], 7, 'private'],
  [[0xfe, 0x80], 10, 'link_local'],
  [[0xfe, 0xc0], 10, 'private'], // Site-local, deprecated.
  [[0xff], 8, 'multicast'],
  [[0x20, 0x01, 0x0d, 0xb8], 32, 'reserved'], // Documentation.
  [[0x3f, 0xff], 20, 'reserved'], // Documentation.
  [[0x20, 0x01, 0x00, 0x00], 32, undefined], // Teredo.
  [[0x20, 0x01], 23, 'reserved'], // The rest of the IETF's protocol assignments.
];

/** NAT64, IPv4-translated, IPv4-compatible: the IPv4 address is the last 4 bytes. */
const TAIL_PREFIXES = [[0x00, 0x64, 0xff, 0x9b], [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff], []];
