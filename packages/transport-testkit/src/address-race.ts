// An address that a case has freed may be given to another process before the case takes it again: then the case is run anew.

import { TransportError } from '@trunkline/transport-core';

/** Runs a case; again, with what it makes anew, where an address was lost to somebody else. A layer that never frees one fails all the same. */
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
