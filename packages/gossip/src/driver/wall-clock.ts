// The default source of the time of day for gossip.

import { systemWall } from '@trunkline/transport-core';

/**
 * Returns milliseconds since the beginning of 1970 by the machine's clock. The lives of a node are
 * numbered by the time of day.
 */
export const wallNow = (): number => systemWall();
