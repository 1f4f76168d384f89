// Where an address leads: its one spelling, its host, what kind of host that is, whose group it belongs to, and whether it may be dialled.

import { formatHostPort, parseHostPort, parseTarget, splitScheme } from '@trunkline/transport-core';
import { groupOfIp, groupOfName } from './group.ts';
import { formatIp, parseIp } from './ip.ts';
import { embeddedIPv4, type IpKind, kindOfIp } from './ip-kind.ts';

/** What is known of a place from its address alone. */
export interface Place {
  /** The same for all spellings of one place, and itself an address: `parseTarget`'s key, without what makes no difference to a dial. */
  readonly key: string;
  /** An IP address in its one spelling, without brackets and zone; or a name, in lower case where a port follows. */
  readonly host: string;
  readonly port: number | undefined;
  /** 4 or 16 bytes where the host is an IP address. */
  readonly ip: Uint8Array | undefined;
  readonly kind: PlaceKind;
  /** See `groupOfIp` and `groupOfName`; of a private network each machine is a group, of this machine each port. */
  readonly group: string;
}

/** `name`: a host name that DNS, or a simulation, must find first. */
export type PlaceKind = IpKind | 'name';

/** What may be dialled on a stranger's word: 'any', as on a network of one's own, or 'public', as on the internet. */
export type DialMode = 'any' | 'public';

/**
 * The place of an address as a Transport knows it: 'host:port', 'tcp://host:port', 'ws://host:port/path', '[::1]:80', 'inmem://x', or a
 * simulation's plain 'n17'. undefined for what is none: more than 256 characters, a character that no address has (control and format
 * characters, white space, quotes), a node id before '@', no host, a port above 65,535, a host in digits that is not plainly IPv4, a name
 * that Unicode reads as another.
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
  const port = scheme === 'ws' ? ':80' : scheme === 'wss' ? ':443' : '';
  const found = parseHostPort(authority) ?? (authority === '' ? undefined : parseHostPort(authority + port));
  if (found !== undefined) return placeAt(found.host, found.port, (host) => keyOf(`${prefix}${host}${path}`));
  if (port !== '' || !PLAIN_NAME.test(authority) || (isTcp && path !== '')) return undefined;
  return placeAt(authority, undefined, () => keyOf(`${prefix}${authority}${path}`));
}

/**
 * May a place be dialled that others told us of? 'any': all but what has no one listening or must never hear from us (unspecified,
 * multicast, metadata, 0/8, 240/4 and broadcast, port 0). 'public': public IP addresses and names, but not names that are none in the
 * public DNS ('localhost', '*.local', '*.internal', 'home.arpa', one label). A name must be asked about again once DNS found its IP
 * addresses, each as a place of its own, or a stranger's DNS server has the last word.
 */
export function isDialable(place: Place, mode: DialMode): boolean {
  if (place.port === 0) return false;
  if (mode === 'public') return place.kind === 'public' || (place.kind === 'name' && isPublicName(place.host));
  if (place.kind === 'reserved') {
    const first = (place.ip!.length === 4 ? place.ip! : embeddedIPv4(place.ip!))?.[0];
    return first === undefined || (first !== 0 && first < 240);
  }
  return place.kind !== 'unspecified' && place.kind !== 'multicast' && place.kind !== 'metadata';
}

/** Longer addresses are none: no host and port needs it, and a book of 20,480 stays small. */
export const LONGEST_ADDRESS = 256;

function placeAt(written: string, port: number | undefined, keyFor: (authority: string) => string): Place | undefined {
  if (written === '') return { key: keyFor(`:${port}`), host: '', port, ip: undefined, kind: 'unspecified', group: 'local' };
  const ip = parseIp(written);
  if (ip !== undefined) {
    const kind = kindOfIp(ip);
    const host = formatIp(ip);
    // A zone tells link-local networks apart (RFC 4007); anywhere else it is one more spelling.
    const zone = kind === 'link_local' ? (/%.*$/su.exec(written)?.[0] ?? '') : '';
    return { key: keyFor(port === undefined ? written : formatHostPort(host + zone, port)), host, port, ip, kind, group: groupOfPlace(ip, kind, port) };
  }
  const host = port === undefined ? written : written.replace(/\.$/, '');
  if (!isName(host, port !== undefined)) return undefined;
  const kind = host.toLowerCase() === METADATA_NAME ? 'metadata' : 'name';
  return { key: keyFor(port === undefined ? host : formatHostPort(host, port)), host, port, ip: undefined, kind, group: groupOfName(host) };
}

/** Addresses of a network of one's own cost its owner nothing, and stand for one machine each; of this machine's, each port is a node. */
function groupOfPlace(ip: Uint8Array, kind: IpKind, port: number | undefined): string {
  if (kind === 'loopback') return `local:${port}`;
  return kind === 'private' || kind === 'shared' || kind === 'link_local' ? formatIp(ip) : groupOfIp(ip);
}

function isName(host: string, hasPort: boolean): boolean {
  const labels = host.split('.');
  // In lower case a letter may be two ('İ'), of which no name is made.
  if (host.length > 253 || labels.some((label) => label === '') || !PLAIN_NAME.test(host)) return false;
  // URL parsers and resolvers read '１２７.1' and '0x7f.1' as IPv4 (WHATWG: "ends in a number"), past any list of addresses.
  if (host.normalize('NFKC') !== host) return false;
  return !((hasPort || labels.length > 1) && /^(?:\d+|0x[\da-f]*)$/i.test(labels.at(-1)!));
}

function isPublicName(host: string): boolean {
  const name = host.toLowerCase();
  return name.includes('.') && !/\.(?:local|internal|localhost|home\.arpa)$/.test(name) && name !== 'home.arpa';
}

function keyOf(address: string): string {
  return parseTarget(address).key;
}

/** RFC 3986 has none of these in any address; format characters, private use and lone surrogates only make two look like one. */
const NEVER = /[\p{C}\s"<>\\^`{|}]/u;
/** Names without a port: of a simulation, or a key in base64. */
const PLAIN_NAME = /^[\p{L}\p{N}._~+=-]+$/u;
const METADATA_NAME = 'metadata.google.internal';
