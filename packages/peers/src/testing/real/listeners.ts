// Free ports and address families of this machine.

import { type AddressInfo, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { TransportError } from '@trunkline/transport-core';

/** True if this machine has an IPv6 loopback address. */
export const hasIPv6: boolean = Object.values(networkInterfaces()).some((each) =>
  each?.some(({ address }) => address === '::1'),
);

/**
 * Calls `open` with a port that was free a moment ago, and tries again if another process took the
 * port.
 */
export async function onFreePort<T>(host: string, open: (port: number) => Promise<T>): Promise<T> {
  for (let round = 0; ; round++) {
    try {
      return await open(await freePort(host));
    } catch (error) {
      if ((error as TransportError).reason !== 'address_in_use' || round === 10) throw error;
    }
  }
}

async function freePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(0, host, resolve),
  );
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
