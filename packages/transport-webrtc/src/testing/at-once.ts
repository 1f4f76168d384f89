// Limits the number of cases of a suite that run at the same time.

import type { TestFunction, TransportTest } from '@trunkline/transport-testkit';

/**
 * Returns a `test` that runs at most `most` cases at the same time. AVA would start all of them,
 * and with hundreds of DTLS handshakes under way, none would finish in time.
 */
export function atOnce(most: number, test: TransportTest): TransportTest {
  let free = most;
  const waiting: (() => void)[] = [];
  const limited: TestFunction = (title, run) =>
    test(title, async (t) => {
      if (free > 0) free--;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        await run(t);
      } finally {
        const next = waiting.shift();
        if (next === undefined) free++;
        else next();
      }
    });
  return Object.assign(limited, { serial: test.serial, skip: test.skip });
}
