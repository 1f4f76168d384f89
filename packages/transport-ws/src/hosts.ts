// Decides which hosts the `Host` header of an upgrade may name. This stops DNS rebinding: a page
// whose host name was rebound to this machine still sends that name in the header. Tested in
// upgrades.test.ts.

import { parseHostPort } from '@trunkline/transport-core/backend';
import { readHost } from './ws-address.ts';

export interface HostRules {
  /** The `hosts` option, if it was given. */
  readonly hosts: readonly string[] | undefined;
  /** The IP address that the server is bound to; undefined on a pipe. */
  readonly bound: string | undefined;
  /** The hosts of `bindAddr` and `advertiseAddr`, at which this end expects to be reached. */
  readonly own: readonly (string | undefined)[];
}

/**
 * Returns a function that checks whether a `Host` header is acceptable, or undefined if any header
 * is.
 */
export function hostCheck({
  hosts,
  bound,
  own,
}: HostRules): ((header: string | undefined) => boolean) | undefined {
  if (
    hosts === undefined &&
    (bound === undefined || !isLoopback(readHost(bound.includes(':') ? `[${bound}]` : bound) ?? ''))
  )
    return undefined;
  if (hosts?.includes('*')) return undefined;
  const names = new Set(hosts?.map(readHost) ?? own);
  return (header) => {
    const named =
      header === undefined
        ? undefined
        : (parseHostPort(header)?.host.replace(/\.$/, '') ?? readHost(header));
    return named !== undefined && (names.has(named) || (hosts === undefined && isLoopback(named)));
  };
}

/** Throws a TypeError unless `hosts` is a list of host names. */
export function checkHosts(hosts: readonly string[] | undefined): void {
  if (hosts !== undefined && !Array.isArray(hosts))
    throw new TypeError("hosts: must be an array of host names, such as ['app.example']");
  for (const host of hosts ?? [])
    if (host !== '*' && (typeof host !== 'string' || readHost(host) === undefined))
      throw new TypeError(
        `hosts: must be host names without scheme and port, or '*', got '${host}'`,
      );
}

/**
 * Returns true if the host is a loopback name or address, which no name server can assign to
 * another machine.
 */
function isLoopback(host: string): boolean {
  return /^127\.\d+\.\d+\.\d+$|^::1$|^(.*\.)?localhost$/.test(host);
}
