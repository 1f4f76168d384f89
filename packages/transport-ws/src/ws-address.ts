// Parses 'ws://host:port/path' addresses, for dialing, for binding and for advertising. Tested in
// stream-layer.test.ts and upgrades.test.ts.

import { TransportError } from '@trunkline/transport-core';
import { type HostPort, parseHostPort } from '@trunkline/transport-core/backend';

/** The address on which a WebSocket server listens. */
export interface WsBinding extends HostPort {
  /** Begins with '/'. */
  readonly path: string;
}

/**
 * Returns the URL of a target: 'ws://host:port/path' or 'wss://…', without a user or a fragment.
 * The port may be missing, but not 0. Throws `invalid_argument` for anything else.
 */
export function targetUrl(address: string): URL {
  const match = /^wss?:\/\/([^/?#]+)/i.exec(address);
  const url = match === null ? undefined : urlOf(address);
  const hasPort =
    match !== null &&
    (parseHostPort(match[1]!)?.port ?? (/:/.test(match[1]!.replace(/^\[[^\]]*\]/, '')) ? 0 : 80)) >
      0;
  if (
    url === undefined ||
    !hasPort ||
    url.hash !== '' ||
    url.username !== '' ||
    url.password !== ''
  )
    throw wrongAddress('dial', address);
  return url;
}

/**
 * Parses 'host:port' and 'ws://host:port/path'; a path in the address takes precedence over the
 * option. Throws `invalid_argument` for anything else.
 */
export function parseBinding(bindAddr: string, path: string | undefined): WsBinding {
  const match = /^(?:wss?:\/\/)?([^/?#]*)(\/[^?#]*)?$/i.exec(bindAddr);
  const place = match === null ? undefined : parseHostPort(match[1]!);
  if (match === null || place === undefined) throw wrongAddress('listen on', bindAddr);
  return { ...place, path: match[2] ?? path ?? '/' };
}

/**
 * Returns the host of a `bindAddr` or `advertiseAddr`, with or without scheme, port and path, as
 * `readHost` does, or undefined if it cannot be parsed.
 */
export function advertisedHost(address: string): string | undefined {
  const match = /^(?:wss?:\/\/)?([^/?#]*)/i.exec(address);
  return match === null ? undefined : readHost(match[1]!.replace(/:\d+$/, ''));
}

/**
 * Parses a host without a port, normalized as `parseHostPort` does it, and without a final dot;
 * returns undefined for anything else.
 */
export function readHost(text: string): string | undefined {
  const host = parseHostPort(`${text}:80`)?.host.replace(/\.$/, '');
  return host === '' ? undefined : host;
}

function urlOf(address: string): URL | undefined {
  try {
    return new URL(address);
  } catch {
    return undefined;
  }
}

function wrongAddress(action: string, address: string): TransportError {
  return new TransportError(
    'invalid_argument',
    `Cannot ${action} '${address}': a WebSocket address is 'ws://host:port/path' (or wss://), with an IPv6 host in brackets`,
    {
      target: address,
    },
  );
}
