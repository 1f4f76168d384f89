// Tests of random numbers, delays and choices.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import {
  childRandom,
  type DelayDistribution,
  draw,
  isDelay,
  pick,
  shuffled,
} from './distributions.ts';

const COUNT = 20_000;
const draws = (delay: DelayDistribution, seed = 1) => {
  const random = seededRandom(seed);
  return Array.from({ length: COUNT }, () => draw(delay, random)).sort((a, b) => a - b);
};
const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const at = (values: readonly number[], share: number) => values[Math.floor(values.length * share)]!;

test('a child stream depends only on the seed and every label', (t) => {
  const first = (...labels: Parameters<typeof childRandom>) => {
    const random = childRandom(...labels);
    return [random(), random(), random()].join();
  };
  t.is(first(1, 'node', 'a', 1), first(1, 'node', 'a', 1));
  const others = [
    [1, 'node', 'a', 1],
    [2, 'node', 'a', 1],
    [1, 'disk', 'a', 1],
    [1, 'node', 'b', 1],
    [1, 'node', 'a', 2],
    [1, 'node', 'a'],
    [-1, 'node', 'a', 1],
    [0, 'node', 'a', 1],
    [2 ** 31, 'node', 'a', 1],
  ] as const;
  t.is(
    new Set(others.map((labels) => first(...(labels as unknown as Parameters<typeof childRandom>))))
      .size,
    others.length,
  );
});

test('child streams of similar seeds and names are independent', (t) => {
  const firsts: number[] = [];
  for (let seed = 0; seed < 1_000; seed++) firsts.push(childRandom(seed, 'link', 'a', 'b')());
  t.true(Math.abs(mean(firsts) - 0.5) < 0.03, `${mean(firsts)}`);
  const rising = firsts.filter((value, i) => i > 0 && value > firsts[i - 1]!).length;
  t.true(rising > 400 && rising < 600, `${rising}`);
});

test('a number is constant, a range is uniform', (t) => {
  t.is(draw(7, seededRandom(1)), 7);
  const all = draws([10, 30]);
  t.true(all[0]! >= 10 && all.at(-1)! <= 30);
  t.true(Math.abs(mean(all) - 20) < 0.2);
  for (const share of [0.1, 0.25, 0.75, 0.9])
    t.true(Math.abs(at(all, share) - (10 + 20 * share)) < 0.4);
  t.true(draws([5, 5]).every((value) => value === 5));
});

test('exponential: above the minimum, with the given mean, up to the maximum', (t) => {
  const all = draws({ exponential: 10, least: 3 });
  t.true(all[0]! >= 3);
  t.true(Math.abs(mean(all) - 13) < 0.3, `${mean(all)}`);
  t.true(Math.abs(at(all, 0.5) - 3 - 10 * Math.LN2) < 0.3);
  t.true(Math.abs(at(all, 0.95) - 3 - 10 * Math.log(20)) < 1);
  const cut = draws({ exponential: 10, most: 12 });
  t.is(cut.at(-1), 12);
  t.true(cut.every((value) => value <= 12 && value >= 0));
});

test('lognormal: the given median, and the given deviation of its logarithm', (t) => {
  const all = draws({ lognormal: 20, sigma: 0.5 });
  t.true(Math.abs(at(all, 0.5) - 20) < 0.5);
  t.true(Math.abs(mean(all) - 20 * Math.exp(0.125)) < 0.5);
  const logs = all.map((value) => Math.log(value / 20));
  t.true(Math.abs(mean(logs.map((log) => log * log)) - 0.25) < 0.01);
  const bounded = draws({ lognormal: 20, sigma: 1, least: 10, most: 40 });
  t.deepEqual([bounded[0], bounded.at(-1)], [10, 40]);
  t.true(draws({ lognormal: 20, sigma: 0 }).every((value) => value === 20));
});

test('valid delays are accepted and invalid ones refused', (t) => {
  for (const good of [
    0,
    1.5,
    [0, 0],
    [1, 2],
    { exponential: 5 },
    { exponential: 5, least: 1, most: 9 },
    { lognormal: 5, sigma: 1 },
    { lognormal: 5, sigma: 0, most: Number.POSITIVE_INFINITY },
  ]) {
    t.true(isDelay(good), JSON.stringify(good));
  }
  for (const bad of [
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '5',
    null,
    undefined,
    [],
    [1],
    [2, 1],
    [1, 2, 3],
    [-1, 1],
    {},
    { exponential: -1 },
    { lognormal: 5 },
    { sigma: 1 },
    { exponential: 5, sigma: 1 },
    { exponential: 1, lognormal: 1, sigma: 1 },
    { exponential: 5, lest: 1 },
    { exponential: 5, least: -1 },
    { exponential: 5, least: 9, most: 1 },
  ]) {
    t.false(isDelay(bad), JSON.stringify(bad));
  }
});

test('pick takes every element about equally often; shuffled keeps all of them and does not modify the list', (t) => {
  const random = seededRandom(3);
  const counts = new Map<string, number>();
  for (let i = 0; i < 9_000; i++) {
    const picked = pick(['a', 'b', 'c'], random);
    counts.set(picked, (counts.get(picked) ?? 0) + 1);
  }
  for (const count of counts.values()) t.true(Math.abs(count - 3_000) < 200);
  const list = [1, 2, 3, 4];
  const orders = new Set<string>();
  for (let i = 0; i < 1_000; i++) {
    const other = shuffled(list, random);
    t.deepEqual([...other].sort(), list);
    orders.add(other.join());
  }
  t.is(orders.size, 24);
  t.deepEqual(list, [1, 2, 3, 4]);
  t.deepEqual(shuffled([], random), []);
});
