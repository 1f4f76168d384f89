// Repeats a test case if another process took an address that the case had freed and wanted to use
// again.

import { TransportError } from '@trunkline/transport-core';

/**
 * Runs a case, and runs it again, with a new fixture that `run` makes, if it rejects because its
 * address is in use. A layer that never frees an address fails the case at the fifth try.
 */
export async function unlessTaken(run: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await run();
    } catch (error) {
      const lost = error instanceof TransportError && error.reason === 'address_in_use';
      if (!lost || tries === TRIES) throw error;
    }
  }
}

const TRIES = 5;
