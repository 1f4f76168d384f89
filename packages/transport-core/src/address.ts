// Addresses as text: targets with and without a node id, schemes, hosts and ports, and the one form of each that a pool keys by.

import { TransportError } from './errors.ts';
import { canonicalIp, isIpv4, isUnspecifiedIp, parseIpv6 } from './ip.ts';

/** A target string, `[nodeId@]address`. */
export interface TargetAddress {
  /** 64 lower-case hex digits: whom the other end must prove to be. */
  readonly nodeId: string | undefined;
  /** What is dialled, as written but for white space at its ends. */
  readonly address: string;
  /** The same for all spellings of one target: scheme and host in lower case, IP addresses in their shortest form, no 'tcp://'. */
  readonly key: string;
}

export interface HostPort {
  /** A name as written; an IP address in its shortest form, an IPv6 one without brackets, its zone kept ('fe80::1%eth0'). */
  readonly host: string;
  readonly port: number;
}

/**
 * Reads a target. `invalid_argument`, saying how it is written, for an empty one, for control characters, more than 2,048
 * characters, or anything but a node id before '@'. What the address itself means is for the stream layer to say.
 */
export function parseTarget(target: string): TargetAddress {
  const text = target.trim();
  if (text === '') throw wrong('target', target, "is empty; give an address such as 'host:port', or a Remote");
  if (text.length > 2_048) throw wrong('target', target, `has ${text.length} characters; an address has at most 2048`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
  if (/[\u0000-\u001f\u007f]/.test(text)) throw wrong('target', target, 'has control characters; take them out');
  if (/^[^/@]*:\/\/[^/?#]*@/u.test(text)) throw wrong('target', target, "has an '@' behind its scheme; a node id stands before it: nodeId@ws://host:port");
  const at = /^([^/@]*)@(.*)$/su.exec(text);
  if (at === null) return { nodeId: undefined, address: text, key: canonicalAddress(text) };
  const [, nodeId = '', address = ''] = at;
  if (!isNodeId(nodeId)) throw wrong('target', target, "has no node id before its '@'; a node id is 64 lower-case hex digits");
  if (address === '') throw wrong('target', target, "has no address behind its '@'; write nodeId@host:port");
  return { nodeId, address, key: `${nodeId}@${canonicalAddress(address)}` };
}

/** 64 lower-case hex digits. */
export function isNodeId(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/** 'WS://Host:80/x' → 'ws' and 'Host:80/x'; without '://' there is no scheme. */
export function splitScheme(address: string): { scheme: string | undefined; rest: string } {
  const match = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/isu.exec(address);
  return match === null ? { scheme: undefined, rest: address } : { scheme: match[1]!.toLowerCase(), rest: match[2]! };
}

/**
 * Reads 'host:port' or '[IPv6]:port'. `invalid_argument`, with the remedy, for anything else.
 * @param what whose address it is, for the message: 'createTcpTransport: bindAddr'
 * @param options.scheme one that may stand before it ('tcp'); any other, or any where none is given, is refused
 * @param options.dial true refuses port 0, which can only be bound
 */
export function parseHostPort(address: string, what: string, options: { scheme?: string; dial?: boolean } = {}): HostPort {
  const { scheme, rest } = splitScheme(address.trim());
  if (scheme !== undefined && scheme !== options.scheme) {
    throw wrong(what, address, `has the scheme '${scheme}://'; write host:port${options.scheme === undefined ? '' : ` or ${options.scheme}://host:port`}`);
  }
  const split = splitHostPort(rest);
  if (split === undefined) {
    const remedy = parseIpv6(rest.replace(/:\d*$/, '')) || parseIpv6(rest) ? "is IPv6 without brackets; write '[::1]:7000'" : "is no address; write 'host:port' or '[IPv6]:port', such as 127.0.0.1:7000";
    throw wrong(what, address, remedy);
  }
  const port = Number(split.port);
  if (port > 0xffff) throw wrong(what, address, `has port ${split.port}; ports end at 65535`);
  if (port === 0 && options.dial === true) throw wrong(what, address, 'has port 0, which can be bound but not dialled; give the real port');
  const { host } = split;
  if (host.includes(':') ? parseIpv6(host) === undefined : !(isIpv4(host) || isHostName(host))) {
    throw wrong(what, address, `has no valid host ('${host}'); give a name, an IPv4 address or an IPv6 address in brackets`);
  }
  return { host: canonicalIp(host), port };
}

/** 'host:port', with brackets around IPv6. */
export function formatHostPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Does the host stand for every interface, so that nobody can dial it? 0.0.0.0, ::, and their other spellings; brackets may be there. */
export function isUnspecified(host: string): boolean {
  return isUnspecifiedIp(host.replace(/^\[(.*)\]$/s, '$1'));
}

/** What it can't read as scheme, host and port it leaves as written. */
function canonicalAddress(address: string): string {
  const { scheme, rest } = splitScheme(address);
  const [, authority = '', path = ''] = /^([^/?#]*)(.*)$/su.exec(rest)!;
  const isPlain = scheme === undefined || scheme === 'tcp';
  if (isPlain && path !== '') return address;
  const split = splitHostPort(authority);
  const place = split === undefined ? (isPlain ? authority : authority.toLowerCase()) : formatHostPort(canonicalIp(split.host.replace(/^[^%]*/, lower)), Number(split.port));
  return `${isPlain ? '' : `${scheme}://`}${place}${path === '/' ? '' : path}`;
}

/** The two halves, unchecked but for their form; IPv6 stands in brackets. */
function splitHostPort(text: string): { host: string; port: string } | undefined {
  const match = /^(?:\[([^[\]]+)\]|([^:[\]]+)):(\d{1,9})$/su.exec(text);
  return match === null ? undefined : { host: (match[1] ?? match[2])!, port: match[3]! };
}

/** Letters and digits of any script, '-', '_' and dots between them; what looks like IPv4 is none. */
function isHostName(host: string): boolean {
  return host.length <= 253 && /^[\p{L}\p{M}\p{N}_-]+(?:\.[\p{L}\p{M}\p{N}_-]+)*\.?$/u.test(host) && !/^[\d.]+\.\d+$/.test(host);
}

function lower(text: string): string {
  return text.toLowerCase();
}

function wrong(what: string, value: string, problem: string): TransportError {
  const shown = JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
  return new TransportError('invalid_argument', `${what}: ${shown} ${problem}`, { target: value.slice(0, 2_048), sent: false });
}
