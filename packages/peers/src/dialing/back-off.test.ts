// Tests of the back-off between dials.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { backOffDelay } from './targets.ts';

const gRPC = { interval: 1_000, max: 120_000, jitter: 0.2 };

test('waits grow 1.6-fold from the interval to the maximum, within the jitter', (t) => {
  const random = seededRandom(1);
  for (let failures = 1; failures < 40; failures++) {
    const middle = Math.min(120_000, 1_000 * 1.6 ** (failures - 1));
    const waits = Array.from({ length: 200 }, () => backOffDelay(gRPC, failures, random));
    const [least, most] = [Math.min(...waits) / middle, Math.max(...waits) / middle];
    t.true(least >= 0.8 && least < 0.85, `${failures} failures: ${least}`);
    t.true(most <= 1.2 && most > 1.15, `${failures} failures: ${most}`);
  }
  t.is(Math.round(backOffDelay({ ...gRPC, jitter: 0 }, 3, random)), 2_560);
});

test('a back-off stays finite after years of failures, and is fixed if the interval is the maximum', (t) => {
  t.is(backOffDelay({ ...gRPC, jitter: 0 }, 1e9, seededRandom(1)), 120_000);
  const fixed = { interval: 60_000, max: 60_000, jitter: 0 };
  for (const failures of [1, 2, 50]) t.is(backOffDelay(fixed, failures, seededRandom(1)), 60_000);
});
