// Waits until nothing is in flight anymore.

import { systemClock } from '@trunkline/transport-core';

/** Waits until the backend hasn't been busy for `turns` consecutive turns of the event loop. */
export async function settle(isBusy: () => boolean, turns: number): Promise<void> {
  for (let still = 0; still < turns || isBusy(); ) {
    await systemClock.sleep(0);
    still = isBusy() ? 0 : still + 1;
  }
}
