// Resolves host names with the system's resolver. For Node.

import { lookup } from 'node:dns/promises';
import { reasonError } from '@trunkline/transport-core/backend';

/**
 * Returns the IP addresses of a host name, in the order in which the system finds them (first in
 * its hosts file, then by DNS). An IP address resolves to itself. Pass it to `createPeers` as
 * `lookup`.
 *
 * Rejects with `unavailable`, reason `host_not_found`, if the name has no address or no name server
 * answers, and with a TypeError if `host` is not a name. The system decides how long a lookup
 * takes, and it cannot be canceled; peers wait for one minute at most.
 */
export async function systemLookup(host: string): Promise<readonly string[]> {
  if (typeof host !== 'string' || host === '' || host.includes('\0')) {
    throw new TypeError(
      `systemLookup: host: must be the name of a host, got ${typeof host === 'string' ? JSON.stringify(host) : typeof host}`,
    );
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
  return reasonError('host_not_found', `systemLookup: ${host}: ${problem}`, {
    target: host,
    cause,
  });
}
