// gRPC's connection back-off: how long to wait after so many failures in a row.

import type { Random } from '@trunkline/transport-core';

/** How long to wait before a peer is dialled again. gRPC's numbers: 1 s, 120 s, 0.2. With `interval` equal to `max` it is always the same time (Orbs). */
export interface BackOffOptions {
  /** Milliseconds to wait after the first failure; after each further one it is 1.6 times as long. */
  readonly interval: number;
  /** Milliseconds that it never exceeds, but for the jitter. */
  readonly max: number;
  /** The share of the wait that chance adds or takes, 0 to 1: 0.2 is ±20 %. It keeps clients apart that lost their server together. */
  readonly jitter: number;
}

/** Milliseconds to wait after the last of `failures` (1 or more) failures in a row. */
export function backOffDelay({ interval, max, jitter }: BackOffOptions, failures: number, random: Random): number {
  const delay = Math.min(max, interval * FACTOR ** Math.min(failures - 1, MOST_STEPS));
  return delay * (1 + jitter * (2 * random() - 1));
}

/** https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md */
const FACTOR = 1.6;
/** No wait is that long (1.6 ^ 100 ≈ 10 ^ 20), and the number stays finite. */
const MOST_STEPS = 100;
