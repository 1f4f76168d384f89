// The network of this machine, for layers that dial host names: its interfaces, the system's
// resolver, and a lookup for sockets that finds only given addresses. Tested in machine.test.ts.

import * as dns from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { networkInterfaces } from 'node:os';
import { reasonError, type StreamLayer } from '@trunkline/transport-core/backend';

/**
 * The network of this machine; see `StreamLayer.machine`.
 *
 * `lookup` returns the IP addresses of a host name, at least one, in the order of the system's
 * resolver (usually its hosts file, then DNS). An IP address resolves to itself. It rejects with
 * `unavailable`, reason `host_not_found`, whatever the cause: the name has no address, no name
 * server answers, or the system fails. The system decides how long a lookup takes, and it cannot be
 * canceled.
 */
export const machine: NonNullable<StreamLayer['machine']> = {
  addresses: () =>
    Object.values(networkInterfaces()).flatMap((interfaces = []) =>
      interfaces.map(({ address }) => address),
    ),
  lookup: (host) =>
    new Promise((resolve, reject) => {
      dns.lookup(host, { all: true, verbatim: true }, (error, found) => {
        if (error === null && found.length > 0) resolve(found.map(({ address }) => address));
        else reject(notFound(host, error));
      });
    }),
};

/**
 * Returns a lookup that finds these addresses for every name, for the option `lookup` of sockets.
 * The list must not be empty. For undefined, returns undefined, which means the system's lookup.
 */
export function fixedLookup(addresses: readonly string[] | undefined): LookupFunction | undefined {
  if (addresses === undefined) return undefined;
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  const [first] = found;
  return (_host, { all }, done) => {
    if (all === true) done(null, found);
    else done(null, first!.address, first!.family);
  };
}

function notFound(host: string, cause: NodeJS.ErrnoException | null) {
  const problem =
    cause === null
      ? 'the name has no address'
      : `the system finds no address of it; check its spelling and the name server (${cause.code ?? cause})`;
  return reasonError('host_not_found', `Cannot look up ${host}: ${problem}`, {
    target: host,
    cause: cause ?? undefined,
  });
}
