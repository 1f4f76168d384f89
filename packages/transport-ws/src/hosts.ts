// Which hosts an upgrade may name. A page whose name was rebound to this machine (DNS rebinding) still names its own host.

import { parseHostPort } from '@trunkline/transport-core';
import { readHost } from './ws-address.ts';

export interface HostRules {
  /** The option, if it was given. */
  readonly hosts: readonly string[] | undefined;
  /** The address that is bound. */
  readonly bound: string | undefined;
  /** Hosts by which this end was told that it is reached: of `bindAddr` and `advertiseAddr`. */
  readonly own: readonly (string | undefined)[];
}

/** Returns whether a Host header may be served; undefined if all may. */
export function hostCheck({ hosts, bound, own }: HostRules): ((header: string | undefined) => boolean) | undefined {
  if (hosts === undefined && (bound === undefined || !isLoopback(readHost(bound.includes(':') ? `[${bound}]` : bound) ?? ''))) return undefined;
  if (hosts?.includes('*')) return undefined;
  const names = new Set(hosts?.map(readHost) ?? own);
  return (header) => {
    const named = header === undefined ? undefined : (parseHostPort(header)?.host.replace(/\.$/, '') ?? readHost(header));
    return named !== undefined && (names.has(named) || (hosts === undefined && isLoopback(named)));
  };
}

/** Throws a TypeError for what is no list of hosts. */
export function checkHosts(hosts: readonly string[] | undefined): void {
  if (hosts !== undefined && !Array.isArray(hosts)) throw new TypeError("hosts: an array of host names, such as ['app.example']");
  for (const host of hosts ?? [])
    if (host !== '*' && (typeof host !== 'string' || readHost(host) === undefined))
      throw new TypeError(`hosts: names of hosts without scheme and port, or '*'; not '${host}'`);
}

/** Is it this machine's own name or address, which no name server can give to another? */
function isLoopback(host: string): boolean {
  return /^127\.\d+\.\d+\.\d+$|^::1$|^(.*\.)?localhost$/.test(host);
}
