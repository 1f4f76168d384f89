// Waits until nothing is on its way any more.

import { systemClock } from '@trunkline/transport-core';

/** Waits for `turns` turns of the event loop in a row in which the backend isn't busy. */
export async function settle(isBusy: () => boolean, turns: number): Promise<void> {
  for (let still = 0; still < turns || isBusy(); ) {
    await systemClock.sleep(0);
    still = isBusy() ? 0 : still + 1;
  }
}
