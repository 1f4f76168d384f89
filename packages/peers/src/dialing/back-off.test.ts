// Tests of the back-off between dials.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { backOffDelay } from './back-off.ts';

const gRPC = { interval: 1_000, max: 120_000, jitter: 0.2 };

test('waits grow 1.6-fold from the interval to the maximum, within the jitter', (t) => {
  const random = seededRandom(1);
  for (let failures = 1; failures < 40; failures++) {
    const middle = Math.min(120_000, 1_000 * 1.6 ** (failures - 1));
    const waits = Array.from({ length: 200 }, () => backOffDelay(gRPC, failures, random));
    t.true(
      Math.min(...waits) >= 0.8 * middle && Math.max(...waits) <= 1.2 * middle,
      `${failures} failures`,
    );
    t.true(
      Math.min(...waits) < 0.85 * middle && Math.max(...waits) > 1.15 * middle,
      `${failures} failures: spread`,
    );
  }
  t.is(Math.round(backOffDelay({ ...gRPC, jitter: 0 }, 3, random)), 2_560);
});

test('a back-off stays finite after years of failures', (t) => {
  t.is(backOffDelay({ ...gRPC, jitter: 0 }, 1e9, seededRandom(1)), 120_000);
});

test('an interval equal to the maximum is fixed', (t) => {
  for (const failures of [1, 2, 50])
    t.is(
      backOffDelay({ interval: 60_000, max: 60_000, jitter: 0 }, failures, seededRandom(1)),
      60_000,
    );
});
