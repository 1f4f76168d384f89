// Parsing of target strings, with or without a node id and a scheme, and the canonical form that
// the connection pool uses as its key.

import { TransportError } from './errors.ts';
import { formatHostPort, parseHostPort } from './host-port.ts';
import { cleanText } from './text.ts';

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
   * The canonical form, the same for all spellings of one target: scheme and host in lower case, IP
   * addresses in their shortest form, no 'tcp://'.
   */
  readonly key: string;
}

/**
 * Parses a target. Throws `invalid_argument`, with a hint about the correct form, if the target is
 * empty, is longer than 2,048 characters, contains control characters or marks that change the
 * writing direction, or has anything other than a node id before '@'. The stream layer checks the
 * address itself.
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
 * bare 'host:port') and, for a WebSocket URL, with at least the path '/'. Other text is returned
 * unchanged.
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
 * Returns the canonical form of an address. Text that is not a scheme, host and port is returned as
 * written.
 */
function canonicalAddress(address: string): string {
  const { scheme, rest } = splitScheme(address);
  const [, authority = '', path = ''] = /^([^/?#]*)(.*)$/su.exec(rest)!;
  const isTcp = scheme === undefined || scheme === 'tcp';
  const place = parseHostPort(authority);
  if (place === undefined || (isTcp && path !== '' && path !== '/'))
    return scheme === undefined ? address : `${scheme}://${rest}`;
  return `${isTcp ? '' : `${scheme}://`}${formatHostPort(place.host, place.port)}${path === '/' ? '' : path}`;
}

function wrong(value: string, problem: string): TransportError {
  const shown = cleanText(JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value));
  return new TransportError('invalid_argument', `target: ${shown} ${problem}`, {
    target: value.slice(0, 2_048),
    sent: false,
  });
}
