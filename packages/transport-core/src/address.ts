// Parsing of target strings, with or without a node id and a scheme, and the canonical form that
// the connection pool and the packages peers and admin use as a key. Below are the 'host:port'
// addresses of socket-based layers, which host-port.test.ts tests.

import { TransportError } from './errors.ts';
import { cleanText, quote } from './text.ts';

/** A target string, `[nodeId@]address`. */
export interface TargetAddress {
  /**
   * The node id that the peer must prove: 64 lower-case hex digits. Undefined if the target has
   * none.
   */
  readonly nodeId: string | undefined;
  /** The address to dial, as written, without white space at its ends. */
  readonly address: string;
  /**
   * The canonical form, the same for all spellings of one target with a port: the node id, if there
   * is one, scheme and host in lower case, IPv6 addresses in their shortest form, no 'tcp://'.
   */
  readonly key: string;
}

/**
 * Parses a target. Throws `invalid_argument`, with a hint about the correct form, if the target,
 * without white space at its ends, is empty, is longer than 2,048 characters, contains control
 * characters, lone surrogates or marks that change the writing direction, or if the part before its
 * first '@' is not a node id, or the part after it is empty; an '@' in the path or query of a URL
 * does not count. The stream layer checks the address itself.
 */
export function parseTarget(target: string): TargetAddress {
  const text = target.trim();
  if (text === '')
    throw wrong(target, "is empty; give an address such as 'host:port', or a Remote");
  if (text.length > 2_048)
    throw wrong(target, `has ${text.length} characters; an address has at most 2048`);
  if (/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_C}]/u.test(text))
    throw wrong(target, 'has control characters; remove them');
  if (/^[^/@]*:\/\/[^/?#]*@/u.test(text))
    throw wrong(
      target,
      "has an '@' after its scheme; put the node id before the scheme: nodeId@ws://host:port",
    );
  const at = /^([^/@]*)@(.*)$/su.exec(text);
  if (at === null) return { nodeId: undefined, address: text, key: canonicalAddress(text) };
  const [, nodeId = '', address = ''] = at;
  if (!isNodeId(nodeId))
    throw wrong(target, "has no node id before its '@'; a node id is 64 lower-case hex digits");
  if (address === '') throw wrong(target, "has no address after its '@'; write nodeId@host:port");
  return { nodeId, address, key: `${nodeId}@${canonicalAddress(address)}` };
}

/**
 * Returns an address as it is shown to users: in canonical form, with its scheme ('tcp://' for a
 * bare 'host:port') and, for a WebSocket URL without path and query, with the path '/'.
 */
export function spelled(address: string): string {
  const key = canonicalAddress(address.trim());
  if (/^wss?:\/\/[^/?#]+$/.test(key)) return `${key}/`;
  return splitScheme(key).scheme === undefined && parseHostPort(key) !== undefined
    ? `tcp://${key}`
    : key;
}

/** Returns true if the text is a node id: 64 lower-case hex digits. */
export function isNodeId(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/**
 * Splits an address into its scheme and the rest: 'WS://Host:80/x' → 'ws' and 'Host:80/x'. Without
 * '://', the scheme is undefined.
 */
export function splitScheme(address: string): { scheme: string | undefined; rest: string } {
  const match = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/isu.exec(address);
  return match === null
    ? { scheme: undefined, rest: address }
    : { scheme: match[1]!.toLowerCase(), rest: match[2]! };
}

/**
 * Returns the canonical form of an address; a WebSocket URL without a port gets its default port.
 * Text that is not a scheme, host and port is returned as written, except for its scheme.
 */
function canonicalAddress(address: string): string {
  const { scheme, rest } = splitScheme(address);
  const [, authority = '', path = ''] = /^([^/?#]*)(.*)$/su.exec(rest)!;
  const isTcp = scheme === undefined || scheme === 'tcp';
  const usual = scheme === 'ws' ? ':80' : scheme === 'wss' ? ':443' : '';
  const place = parseHostPort(authority) ?? parseHostPort(authority + usual);
  if (place === undefined || (isTcp && path !== '' && path !== '/'))
    return scheme === undefined ? address : `${scheme}://${rest}`;
  return `${isTcp ? '' : `${scheme}://`}${formatHostPort(place.host, place.port)}${path === '/' ? '' : path}`;
}

function wrong(value: string, problem: string): TransportError {
  const shown = cleanText(quote(value, 100));
  return new TransportError('invalid_argument', `target: ${shown} ${problem}`, {
    target: value.slice(0, 2_048),
    sent: false,
  });
}

// Reads and writes 'host:port' addresses of socket-based layers: names, IPv4, and IPv6 in brackets,
// with zones.

/**
 * The address that a socket binds or connects to. `host` has no brackets. '' means no host, which
 * binds every address of the machine and can't be dialed.
 */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/**
 * Parses 'host:port', ':port', '1.2.3.4:port', '[::1]:port' and '[fe80::1%eth0]:port'; returns
 * undefined for anything else. Names become lower case, an IPv6 address gets its shortest spelling,
 * and an IPv4 address mapped into IPv6 becomes IPv4.
 */
export function parseHostPort(text: string): HostPort | undefined {
  const match = HOST_PORT.exec(text);
  if (match === null) return undefined;
  const [, literal, zone = '', name = '', digits] = match;
  const port = Number(digits);
  if (port > 65_535) return undefined;
  if (literal === undefined) return { host: name.toLowerCase(), port };
  const host = canonicalIPv6(literal);
  return host === undefined ? undefined : { host: unmapped(host) + zone, port };
}

/**
 * Formats an address so that `parseHostPort` can read it. An IPv4 address mapped into IPv6 is
 * written as IPv4.
 */
export function formatHostPort(host: string, port: number): string {
  const plain = unmapped(host);
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`;
}

/**
 * Returns why a node must not advertise a host, for an error message; undefined if it may. It may
 * advertise a loopback address, which only nodes on its machine can dial. The interface in an IPv6
 * link-local address, such as `eth0` in 'fe80::1%eth0', belongs to one machine.
 */
export function notAdvertisable(host: string): string | undefined {
  const plain = unmapped(host);
  if (plain === '' || plain === '0.0.0.0' || (/^[0:]*$/.test(plain) && plain.includes(':')))
    return 'it stands for every address of this machine';
  return /^fe[89ab][\da-f]:/i.test(host)
    ? 'it is link-local, and other machines have other interfaces'
    : undefined;
}

/**
 * Returns the source of an endpoint, as the limits per source define it: an IPv4 address, the /64
 * network of an IPv6 address (which usually belongs to one customer), the name before the port, or
 * an endpoint without a port as it is. `endpoint` is written as `formatHostPort` writes it.
 */
export function sourceOf(endpoint: string): string {
  const literal = /^\[([\da-f:.]+)/i.exec(endpoint)?.[1];
  const plain =
    literal === undefined ? (/^(.+):\d+$/.exec(endpoint)?.[1] ?? endpoint) : unmapped(literal);
  if (literal === undefined || !plain.includes(':')) return plain;
  const [head = '', tail = ''] = plain.split('::');
  const groups = head.split(':');
  const rest = tail.split(':');
  while (groups.length + rest.length < 8) groups.push('0');
  return groups.concat(rest).slice(0, 4).join(':');
}

/**
 * Converts an IPv4 address mapped into IPv6, in either spelling ('::ffff:1.2.3.4',
 * '::ffff:102:304'), to IPv4. Other hosts are returned unchanged.
 */
function unmapped(host: string): string {
  const match = /^::ffff:(?:(\d+\.\d+\.\d+\.\d+)|([\da-f]{1,4}):([\da-f]{1,4}))$/i.exec(host);
  if (match === null) return host;
  if (match[1] !== undefined) return match[1];
  const [high, low] = [Number.parseInt(match[2]!, 16), Number.parseInt(match[3]!, 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/**
 * Returns the shortest spelling (RFC 5952), so that one machine has one address; undefined if the
 * literal is not an IPv6 address.
 */
function canonicalIPv6(literal: string): string | undefined {
  try {
    return new URL(`http://[${literal}]/`).hostname.slice(1, -1);
  } catch {
    return undefined;
  }
}

/** A host, which may be missing, and a port, which is required. */
const HOST_PORT = /^(?:\[([\da-f:.]+)(%[\w.-]+)?\]|([\p{L}\p{N}._-]*)):(\d{1,5})$/iu;
