// Ports and families of this machine.

import { type AddressInfo, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { TransportError } from '@trunkline/transport-core';

/** Has this machine an IPv6 loopback? */
export const hasIPv6: boolean = Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === '::1'));

/** Calls with a port that was free a moment ago, again where somebody was faster. */
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
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
