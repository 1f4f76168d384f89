import { systemWall } from '@trunkline/transport-core';

/** Milliseconds since the beginning of 1970, by the machine's clock: a life of a node is numbered by the time of day. */
export const wallNow = (): number => systemWall();
