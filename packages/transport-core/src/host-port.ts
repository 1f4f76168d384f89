// Reads and writes 'host:port' addresses of socket-based layers: names, IPv4, and IPv6 in brackets,
// with zones.

/**
 * The address that a socket binds or connects to. `host` has no brackets; '' means no host and
 * binds every address of the machine.
 */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/**
 * Parses 'host:port', ':port', '1.2.3.4:port', '[::1]:port' and '[fe80::1%eth0]:port'; returns
 * undefined for anything else.
 */
export function parseHostPort(text: string): HostPort | undefined {
  const match = PATTERN.exec(text);
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
 * Returns why other machines can't dial a host, for an error message; undefined if they can. The
 * interface in an IPv6 link-local address, such as `eth0` in 'fe80::1%eth0', belongs to one machine.
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
 * an endpoint without a port as it is.
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

const PATTERN = /^(?:\[([\da-f:.]+)(%[\w.-]+)?\]|([\p{L}\p{N}._-]*)):(\d{1,5})$/iu;
