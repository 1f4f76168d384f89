// The addresses at which a transport listens, as far as a router can map them.

import { TransportError } from '@trunkline/transport-core';
import { formatHostPort, parseHostPort } from '@trunkline/transport-core/backend';

/** An address at which a transport listens. */
export interface ListeningAddress {
  /** The IPv4 address that the listener is bound to; undefined if it listens on all addresses. */
  readonly host: string | undefined;
  readonly port: number;
  /** Returns the same address with another host and port: 'ws://1.2.3.4:80/path'. */
  at(host: string, port: number): string;
}

/**
 * Returns the addresses of a transport that a router can map: IPv4 addresses other than loopback.
 *
 * @throws TransportError `failed_precondition` if there is none.
 */
export function mappableAddresses(localAddrs: readonly string[]): ListeningAddress[] {
  const found = localAddrs.flatMap((address) => {
    const [, scheme = '', place = '', path = ''] =
      /^([a-z][a-z\d+.-]*:\/\/)?([^/]*)(.*)$/i.exec(address) ?? [];
    const parsed = parseHostPort(place);
    if (parsed === undefined || parsed.port === 0) return [];
    const isAny = ANY.has(parsed.host);
    if (!isAny && !IPV4.test(parsed.host)) return [];
    if (parsed.host.startsWith('127.')) return [];
    return [
      {
        host: isAny ? undefined : parsed.host,
        port: parsed.port,
        at: (host: string, port: number) => scheme + formatHostPort(host, port) + path,
      },
    ];
  });
  if (found.length === 0)
    throw new TransportError(
      'failed_precondition',
      `createPortMapping: a router can't reach ${localAddrs.join(', ') || 'a transport without addresses'}; listen on this machine's IPv4 address in the local network, or on 0.0.0.0 with an advertiseAddr`,
    );
  return found;
}

const IPV4 = /^\d+\.\d+\.\d+\.\d+$/;
/** The hosts that stand for every address of this machine. */
const ANY: ReadonlySet<string> = new Set(['', '0.0.0.0', '::']);
