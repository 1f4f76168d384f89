// Tests of the settings that a proxy between processes gets from a link of a simulation.

import test from 'ava';
import { linkFaults } from './process-faults.ts';

test('a latency of any distribution becomes an even one with about the same mean', (t) => {
  t.deepEqual(linkFaults({}), { delay: 0, jitter: 0 });
  t.deepEqual(linkFaults({ latency: 5, bandwidth: 1_000 }), {
    delay: 5,
    jitter: 0,
    bandwidth: 1_000,
  });
  t.deepEqual(linkFaults({ latency: [2, 6] }), { delay: 2, jitter: 4 });
  t.deepEqual(linkFaults({ latency: { exponential: 10, least: 1 } }), { delay: 1, jitter: 20 });
  t.deepEqual(linkFaults({ latency: { exponential: 10, most: 15 } }), { delay: 0, jitter: 15 });
  t.deepEqual(linkFaults({ latency: { lognormal: 10, sigma: 0 } }), { delay: 0, jitter: 20 });
  const bounded = { lognormal: 10, sigma: 0, least: 8 };
  t.deepEqual(linkFaults({ latency: bounded }), { delay: 8, jitter: 4 });
});
