// Addresses that a case frees and then uses again.

import { systemRandom } from '@trunkline/transport-core';

/**
 * Returns the same address with another port, or the same address if it has none. The system never
 * assigns such a port by itself (Linux: from 32768; IANA, macOS and Windows: from 49152), so that a
 * listener of another case can't get it between two uses.
 */
export function spareAddress(address: string): string {
  const port = FIRST + ((start + used++) % PORTS);
  return address.replace(/:\d+(?=\/|$)/, `:${port}`);
}

const FIRST = 20_000;
const PORTS = 12_000;
/**
 * The place of this thread's first port. Threads and processes start at multiples of 50, so that
 * two of them rarely use the same ports.
 */
const start = Math.floor((systemRandom() * PORTS) / 50) * 50;
let used = 0;
