// Targets as text: with and without a node id, with and without a scheme, and the one form of each that a pool keys by.

import { TransportError } from './errors.ts';
import { formatHostPort, parseHostPort } from './host-port.ts';
import { cleanText } from './text.ts';

/** A target string, `[nodeId@]address`. */
export interface TargetAddress {
  /** 64 lower-case hex digits: whom the other end must prove to be. */
  readonly nodeId: string | undefined;
  /** What is dialled, as written but for white space at its ends. */
  readonly address: string;
  /** The same for all spellings of one target: scheme and host in lower case, IP addresses in their shortest form, no 'tcp://'. */
  readonly key: string;
}

/**
 * Reads a target. `invalid_argument`, saying how it is written, for an empty one, for control characters and marks that turn the direction of writing, more than 2,048
 * characters, or anything but a node id before '@'. What the address itself means is for the stream layer to say.
 */
export function parseTarget(target: string): TargetAddress {
  const text = target.trim();
  if (text === '') throw wrong(target, "is empty; give an address such as 'host:port', or a Remote");
  if (text.length > 2_048) throw wrong(target, `has ${text.length} characters; an address has at most 2048`);
  if (/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_C}]/u.test(text)) throw wrong(target, 'has control characters; take them out');
  if (/^[^/@]*:\/\/[^/?#]*@/u.test(text)) throw wrong(target, "has an '@' behind its scheme; a node id stands before it: nodeId@ws://host:port");
  const at = /^([^/@]*)@(.*)$/su.exec(text);
  if (at === null) return { nodeId: undefined, address: text, key: canonicalAddress(text) };
  const [, nodeId = '', address = ''] = at;
  if (!isNodeId(nodeId)) throw wrong(target, "has no node id before its '@'; a node id is 64 lower-case hex digits");
  if (address === '') throw wrong(target, "has no address behind its '@'; write nodeId@host:port");
  return { nodeId, address, key: `${nodeId}@${canonicalAddress(address)}` };
}

/**
 * The spelling in which an address is shown: canonical, with its scheme, which is 'tcp://' for a bare 'host:port', and with the path that a
 * WebSocket URL has at least. Other text stays.
 */
export function spelled(address: string): string {
  const key = canonicalAddress(address.trim());
  if (/^wss?:\/\/[^/?#]+$/.test(key)) return `${key}/`;
  return splitScheme(key).scheme === undefined && parseHostPort(key) !== undefined ? `tcp://${key}` : key;
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

/** What it can't read as scheme, host and port it leaves as written. */
function canonicalAddress(address: string): string {
  const { scheme, rest } = splitScheme(address);
  const [, authority = '', path = ''] = /^([^/?#]*)(.*)$/su.exec(rest)!;
  const isTcp = scheme === undefined || scheme === 'tcp';
  const place = parseHostPort(authority);
  if (place === undefined || (isTcp && path !== '' && path !== '/')) return scheme === undefined ? address : `${scheme}://${rest}`;
  return `${isTcp ? '' : `${scheme}://`}${formatHostPort(place.host, place.port)}${path === '/' ? '' : path}`;
}

function wrong(value: string, problem: string): TransportError {
  const shown = cleanText(JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value));
  return new TransportError('invalid_argument', `target: ${shown} ${problem}`, { target: value.slice(0, 2_048), sent: false });
}
