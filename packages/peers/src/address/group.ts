// Address groups. A group stands for all the addresses that one owner can easily obtain. Each group
// can use only some buckets of the address book, which limits the influence of an owner of many
// addresses.

import { formatIp, startsWith } from './ip.ts';
import { embeddedIPv4, type IpKind, kindOfIp } from './ip-kind.ts';

/**
 * Returns the group of an IP address with a port. A private address costs its owner nothing and
 * stands for one machine, so each private address is a group. On this machine, each port belongs to
 * a different node, so each port is a group. For any other address, see `groupOfIp`.
 */
export function groupOfPlace(ip: Uint8Array, kind: IpKind, port: number | undefined): string {
  if (kind === 'loopback') return `local:${port}`;
  return kind === 'private' || kind === 'shared' || kind === 'link_local'
    ? formatIp(ip)
    : groupOfIp(ip);
}

/**
 * Returns the group of an IP address, by the rule of Bitcoin, btcd and Tendermint (groupKey):
 * - IPv4: the /16 of the address. The same holds for the IPv4 address behind a tunnel or a
 *   translator.
 * - IPv6: the /32 of the address, or the /36 in 2001:470::/32, which Hurricane Electric gives out
 *   for free.
 * - OnionCat (Tor): the group is one of 16.
 * - This machine: 'local'.
 *
 * Unlike in those projects, private addresses have groups in every mode, because a private network
 * has no other addresses.
 */
export function groupOfIp(ip: Uint8Array): string {
  const kind = kindOfIp(ip);
  const ipv4 = ip.length === 4 ? ip : embeddedIPv4(ip);
  if (kind === 'loopback' || kind === 'unspecified' || ipv4?.[0] === 0) return 'local';
  if (ipv4 !== undefined) return `${ipv4[0]}.${ipv4[1]}.0.0`;
  if (startsWith(ip, ONION_CAT, 48)) return `tor:${ip[6]! & 15}`;
  const prefix = new Uint8Array(16);
  prefix.set(ip.subarray(0, 4));
  if (startsWith(ip, HURRICANE_ELECTRIC, 32)) prefix[4] = ip[4]! & 0xf0;
  return formatIp(prefix);
}

/**
 * Returns the group of a host name: its last two labels in lower case, roughly the part of a name
 * that its owner pays for.
 */
export function groupOfName(name: string): string {
  return name.toLowerCase().split('.').slice(-2).join('.');
}

const HURRICANE_ELECTRIC = [0x20, 0x01, 0x04, 0x70];
const ONION_CAT = [0xfd, 0x87, 0xd8, 0x7e, 0xeb, 0x43];
