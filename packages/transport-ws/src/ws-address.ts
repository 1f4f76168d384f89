// 'ws://host:port/path': what is dialled, and what is bound and told to others.

import { type HostPort, parseHostPort, TransportError } from '@trunkline/transport-core';

/** Where a WebSocket listens. */
export interface WsBinding extends HostPort {
  /** Begins with '/'. */
  readonly path: string;
}

/** The URL of a target: 'ws://host:port/path' or 'wss://…'; `invalid_argument` for anything else. */
export function parseTarget(address: string): URL {
  const match = /^wss?:\/\/([^/?#]+)/i.exec(address);
  const url = match === null ? undefined : urlOf(address);
  const hasPort = match !== null && (parseHostPort(match[1]!)?.port ?? (/:/.test(match[1]!.replace(/^\[[^\]]*\]/, '')) ? 0 : 80)) > 0;
  if (url === undefined || !hasPort || url.hash !== '' || url.username !== '' || url.password !== '') throw wrongAddress('dial', address);
  return url;
}

/** Reads 'host:port' and 'ws://host:port/path'; the path of the address goes before the option's. */
export function parseBinding(bindAddr: string, path: string | undefined): WsBinding {
  const match = /^(?:wss?:\/\/)?([^/?#]*)(\/[^?#]*)?$/i.exec(bindAddr);
  const place = match === null ? undefined : parseHostPort(match[1]!);
  if (match === null || place === undefined) throw wrongAddress('listen on', bindAddr);
  return { ...place, path: match[2] ?? path ?? '/' };
}

/** The host of what was given as `advertiseAddr`, with or without scheme and path; undefined where it can't be read. */
export function hostOf(address: string): string | undefined {
  const match = /^(?:wss?:\/\/)?([^/?#]*)/i.exec(address);
  return match === null ? undefined : (parseHostPort(match[1]!)?.host ?? readHost(match[1]!));
}

/** Reads a host without a port, as `parseHostPort` spells it and without a final dot; undefined for anything else. */
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
    `Cannot ${action} '${address}': a WebSocket address is 'ws://host:port/path' (or wss://), an IPv6 host stands in brackets`,
    {
      target: address,
    },
  );
}
