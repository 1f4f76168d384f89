// Names of hosts, asked of the system. For Node.

import { lookup } from 'node:dns/promises';
import { reasonError } from '@trunkline/transport-core';

/**
 * The IP addresses of a host's name, as the system finds them (its hosts file, then DNS), in the system's order; an IP address is its own.
 * For `lookup` of `createPeers`. Rejects with `unavailable`, `host_not_found` where the name has none, or nobody answers who would know.
 * How long it takes is the system's matter, and it can't be called off: peers wait for a minute at most. A TypeError for what is no name.
 */
export async function systemLookup(host: string): Promise<readonly string[]> {
  if (typeof host !== 'string' || host === '' || host.includes('\0')) {
    throw new TypeError(`systemLookup: host: must be the name of a host, got ${typeof host === 'string' ? JSON.stringify(host) : typeof host}`);
  }
  let found: readonly { readonly address: string }[];
  try {
    found = await lookup(host, { all: true, verbatim: true });
  } catch (error) {
    const { code } = error as { code?: unknown };
    throw notFound(
      host,
      `the system finds no address of it; check its spelling and the name server (${typeof code === 'string' ? code : String(error)})`,
      error,
    );
  }
  if (found.length === 0) throw notFound(host, 'the name has no address');
  return found.map(({ address }) => address);
}

function notFound(host: string, problem: string, cause?: unknown) {
  return reasonError('host_not_found', `systemLookup: ${host}: ${problem}`, { target: host, cause });
}
