// Asks the operating system about the local network: the default router, and the address from which
// packets to another machine are sent. Tested in local-network.test.ts.

import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { TransportError } from '@trunkline/transport-core';
import { formatHostPort, parseHostPort } from '@trunkline/transport-core/backend';
import { isDialable, placeOf } from '../address/place.ts';

/**
 * Returns the possible addresses of the router: the default gateway if the system reports it
 * (Linux), otherwise the first address of each private network.
 */
export async function routerCandidates(): Promise<string[]> {
  const routes = await readFile('/proc/net/route', 'utf8').catch(() => '');
  const known = defaultGateways(routes);
  if (known.length > 0) return known;
  const guesses = new Set<string>();
  for (const addresses of Object.values(networkInterfaces()))
    for (const { address, family, internal } of addresses ?? [])
      if (family === 'IPv4' && !internal && isLocalAddress(address))
        guesses.add(address.replace(/\d+$/, '1'));
  return [...guesses];
}

/** Returns the default gateways in the text of /proc/net/route. */
export function defaultGateways(routes: string): string[] {
  const found = routes.split('\n').flatMap((line) => {
    const [, destination, gateway, flags] = line.split('\t');
    const isDefault =
      destination === '00000000' && (Number.parseInt(flags ?? '', 16) & GATEWAY) !== 0;
    // The bytes are in the order of a little-endian machine.
    return isDefault && gateway !== undefined && /^[\dA-F]{8}$/i.test(gateway)
      ? [
          gateway
            .match(/../g)!
            .reverse()
            .map((byte) => Number.parseInt(byte, 16))
            .join('.'),
        ]
      : [];
  });
  return [...new Set(found)];
}

/** Returns the address of this machine from which packets to `host` are sent. */
export function sourceAddress(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.once('connect', () => {
      resolve(socket.address().address);
      socket.close();
    });
    // Connecting a UDP socket chooses the route and sends nothing. `connect` has no callback here,
    // because Node would call it after a failure, too.
    socket.connect(ANY_PORT, host);
  });
}

/** Returns true if an IPv4 address belongs to this machine, this network or one of its provider. */
export function isLocalAddress(address: string): boolean {
  return LOCAL.has(placeOf(`${address}:1`)?.kind);
}

/** Returns true if an IPv4 address can be reached from the internet. */
export function isPublicAddress(address: string): boolean {
  const place = placeOf(`${address}:1`);
  return place !== undefined && isDialable(place, 'any') && !isLocalAddress(address);
}

/** The flag of a route through a gateway (RTF_GATEWAY). */
const GATEWAY = 2;
const ANY_PORT = 9;
const LOCAL: ReadonlySet<unknown> = new Set(['private', 'shared', 'loopback', 'link_local']);

// The addresses at which a transport listens, as far as a router can map them.

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
    if (!isAny && !isIPv4(parsed.host)) return [];
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

/** The hosts that stand for every address of this machine. */
const ANY: ReadonlySet<string> = new Set(['', '0.0.0.0', '::']);
