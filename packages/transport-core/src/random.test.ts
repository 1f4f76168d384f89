// Tests of seeded random numbers.

import test from 'ava';
import { randomBytes, seededRandom } from './random.ts';

const draws = (seed: number, count = 1_000) => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => random());
};

test('the same seed gives the same numbers, on every machine', (t) => {
  t.deepEqual(draws(7), draws(7));
  t.notDeepEqual(draws(7, 5), draws(8, 5));
  const numbers = draws(7, 3).map((number) => Math.floor(number * 0x1_0000_0000));
  t.deepEqual(numbers, PINNED);
});

test('numbers are in [0, 1) and spread over it', (t) => {
  const buckets = new Array<number>(10).fill(0);
  for (const number of draws(3, 10_000)) {
    if (!(number >= 0 && number < 1)) t.fail(String(number));
    buckets[Math.floor(number * 10)]!++;
  }
  for (const bucket of buckets) t.true(bucket > 850 && bucket < 1_150, String(bucket));
});

test('neighboring seeds start with uncorrelated numbers', (t) => {
  for (let draw = 0; draw < 5; draw++) {
    const numbers = Array.from({ length: 4_000 }, (_, seed) => draws(seed, draw + 1)[draw]!);
    const mean = numbers.reduce((sum, number) => sum + number) / numbers.length;
    t.true(Math.abs(mean - 0.5) < 0.02, `draw ${draw}: mean ${mean}`);
    let variance = 0;
    let covariance = 0;
    for (let i = 1; i < numbers.length; i++) {
      variance += (numbers[i]! - mean) ** 2;
      covariance += (numbers[i]! - mean) * (numbers[i - 1]! - mean);
    }
    t.true(
      Math.abs(covariance / variance) < 0.05,
      `draw ${draw}: correlation ${covariance / variance}`,
    );
  }
});

test('bytes have the requested length, and all values occur', (t) => {
  const bytes = randomBytes(seededRandom(1), 10_000);
  t.is(bytes.length, 10_000);
  t.is(new Set(bytes).size, 256);
  t.is(randomBytes(seededRandom(1), 0).length, 0);
});

test('the edges of a random source give the first and the last byte', (t) => {
  t.deepEqual([...randomBytes(() => 0, 2)], [0, 0]);
  t.deepEqual([...randomBytes(() => 1 - 2 ** -32, 2)], [255, 255]);
});

/**
 * The first three numbers of seed 7, as 32-bit integers. If they change, no recorded seed can be
 * replayed.
 */
const PINNED = [278_703_804, 3_922_040_232, 4_045_972_956];
