// Parses an address into a `Place`: its canonical spelling, host, kind of host and address group.
// Also decides whether a place may be dialed. Tested in place.test.ts.

import { formatHostPort, parseHostPort, parseTarget } from '@trunkline/transport-core/backend';
import { splitScheme } from '@trunkline/transport-core/internal';
import { embeddedIPv4, formatIp, type IpKind, kindOfIp, parseIp, startsWith } from './ip.ts';

/** The facts about a place that follow from its address alone. */
export interface Place {
  /**
   * The canonical spelling, which is the same for all spellings of one place. It is itself an
   * address: the key of `parseTarget`, without the parts that do not affect a dial.
   */
  readonly key: string;
  /**
   * An IP address in its canonical spelling, without brackets and zone; or a name, which is in
   * lower case if a port follows.
   */
  readonly host: string;
  readonly port: number | undefined;
  /** 4 or 16 bytes if the host is an IP address, otherwise undefined. */
  readonly ip: Uint8Array | undefined;
  readonly kind: PlaceKind;
  /**
   * The address group, see `groupOfPlace` and `groupOfName`. It begins with the scheme if that is
   * neither TCP's nor WebSocket's.
   */
  readonly group: string;
}

/**
 * The kind of an IP address, or `name` for a host name that DNS, or a simulation, must resolve
 * first.
 */
type PlaceKind = IpKind | 'name';

/**
 * The addresses that may be dialed after a stranger has reported them. Use 'any' in your own
 * network, and 'public' on the internet.
 */
export type DialMode = 'any' | 'public';

/**
 * Parses an address as a Transport understands it: 'host:port', 'tcp://host:port',
 * 'ws://host:port/path', '[::1]:80', 'inmem://x', or the plain 'n17' of a simulation. Returns
 * undefined if the address is invalid, which means that it has one of:
 * - more than 256 characters
 * - a character that no address contains (control and format characters, white space, quotes)
 * - a node id before '@'
 * - no host, an invalid host name, or a port above 65,535
 * - a path, if the address is one of TCP
 * - a host in digits that is not plainly IPv4
 * - a name that changes under Unicode normalization
 */
export function placeOf(address: string): Place | undefined {
  const text = address.trim();
  if (text === '' || text.length > LONGEST_ADDRESS || NEVER.test(text)) return undefined;
  const { scheme, rest } = splitScheme(text);
  const [, authority = '', path = ''] = /^([^/?#]*)(.*)$/su.exec(rest)!;
  if (authority.includes('@')) return undefined;
  const isTcp = scheme === undefined || scheme === 'tcp';
  if (isTcp && path !== '' && path !== '/') return undefined;
  const prefix = isTcp ? '' : `${scheme}://`;
  // The host of another scheme is no address of the network: 'nats://server/name', 'webrtc://id'.
  const owner = isTcp || scheme === 'ws' || scheme === 'wss' ? '' : prefix;
  const port = scheme === 'ws' ? ':80' : scheme === 'wss' ? ':443' : '';
  const found =
    parseHostPort(authority) ?? (authority === '' ? undefined : parseHostPort(authority + port));
  if (found !== undefined)
    return placeAt(found.host, found.port, (host) => keyOf(`${prefix}${host}${path}`), owner);
  if (port !== '' || !PLAIN_NAME.test(authority) || (isTcp && path !== '')) return undefined;
  return placeAt(authority, undefined, () => keyOf(`${prefix}${authority}${path}`), owner);
}

/**
 * Returns whether a place that others reported may be dialed.
 * - 'any': every place except places where nobody can listen and places that this node must never
 *   contact (unspecified, multicast, metadata, 0/8, 240/4 and broadcast, IPv6 link-local, port 0).
 * - 'public': public IP addresses, and names except those that do not exist in the public DNS
 *   ('localhost', '*.local', '*.internal', 'home.arpa', a single label).
 *
 * After DNS has resolved a name, check each of its IP addresses again as a separate place.
 * Otherwise a stranger's DNS server would decide which address is dialed.
 */
export function isDialable(place: Place, mode: DialMode): boolean {
  // The zone of an IPv6 link-local address names an interface of the machine that reported it.
  if (place.port === 0 || (place.kind === 'link_local' && place.ip?.length === 16)) return false;
  if (mode === 'public')
    return place.kind === 'public' || (place.kind === 'name' && isPublicName(place.host));
  if (place.kind === 'reserved') {
    const first = (place.ip!.length === 4 ? place.ip! : embeddedIPv4(place.ip!))?.[0];
    return first === undefined || (first !== 0 && first < 240);
  }
  return place.kind !== 'unspecified' && place.kind !== 'multicast' && place.kind !== 'metadata';
}

/**
 * The longest valid address, in characters: Tendermint's maxAddressSize. No host with a port needs
 * more characters, and the limit keeps a book of 20,480 addresses small.
 */
export const LONGEST_ADDRESS = 256;

function placeAt(
  written: string,
  port: number | undefined,
  keyFor: (authority: string) => string,
  owner: string,
): Place | undefined {
  const ip = parseIp(written);
  const host =
    port === undefined ? written : written.replace(ip === undefined ? /\.$/ : /%.*$/su, '');
  if (ip === undefined && written !== '' && !isName(host, port !== undefined)) return undefined;
  const kind = ip === undefined ? kindOfName(host) : kindOfIp(ip);
  // A zone distinguishes link-local networks (RFC 4007). For any other address it is only another
  // spelling.
  const zone = kind === 'link_local' ? written.slice(host.length) : '';
  return {
    key: keyFor(port === undefined ? written : formatHostPort(host + zone, port)),
    host,
    port,
    ip,
    kind,
    group: owner + (ip === undefined ? groupOfName(host) : groupOfPlace(ip, kind, port)),
  };
}

function kindOfName(host: string): PlaceKind {
  if (host === '') return 'unspecified';
  return host.toLowerCase() === METADATA_NAME ? 'metadata' : 'name';
}

function isName(host: string, hasPort: boolean): boolean {
  const labels = host.split('.');
  // Lower-casing can turn one letter into two ('İ'), and the result is not a valid name.
  if (host.length > 253 || labels.some((label) => label === '') || !PLAIN_NAME.test(host))
    return false;
  // URL parsers and resolvers read '１２７.1' and '0x7f.1' as IPv4 (WHATWG: "ends in a number"), which
  // would bypass any filter on addresses.
  if (host.normalize('NFKC') !== host) return false;
  return !((hasPort || labels.length > 1) && /^(?:\d+|0x[\da-f]*)$/i.test(labels.at(-1)!));
}

function isPublicName(host: string): boolean {
  const name = host.toLowerCase();
  return (
    name.includes('.') &&
    !/\.(?:local|internal|localhost|home\.arpa)$/.test(name) &&
    name !== 'home.arpa'
  );
}

function keyOf(address: string): string {
  return parseTarget(address).key;
}

/**
 * Characters that RFC 3986 does not allow in any address. Format characters, private-use characters
 * and lone surrogates would only make two addresses look alike.
 */
const NEVER = /[\p{C}\s"<>\\^`{|}]/u;
/** Names without a port: names of a simulation, or a key in base64. */
const PLAIN_NAME = /^[\p{L}\p{N}._~+=-]+$/u;
const METADATA_NAME = 'metadata.google.internal';

// Address groups. A group stands for all the addresses that one owner can easily obtain. Each group
// can use only some buckets of the address book, which limits the influence of an owner of many
// addresses.

/**
 * Returns the group of an IP address with a port. A private address costs its owner nothing and
 * stands for one machine, so each private address is a group. On this machine, each port belongs to
 * a different node, so each port is a group. For any other address, see `groupOfIp`.
 */
function groupOfPlace(ip: Uint8Array, kind: PlaceKind, port: number | undefined): string {
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
 * that its owner pays for. No name is this machine.
 */
export function groupOfName(name: string): string {
  if (name === '') return 'local';
  return name.toLowerCase().split('.').slice(-2).join('.');
}

const HURRICANE_ELECTRIC = [0x20, 0x01, 0x04, 0x70];
const ONION_CAT = [0xfd, 0x87, 0xd8, 0x7e, 0xeb, 0x43];
