// Tests of the numbers that the lives of a node get, with and without a store.

import { setImmediate as settled } from 'node:timers/promises';
import type { Store, TransportError } from '@trunkline/transport-core';
import { createMemoryStore } from '@trunkline/transport-core/testing';
import test from 'ava';
import { Lives } from './lives.ts';

const NOW = 1_800_000_000_000;
const TEN_YEARS = 315_576_000_000;

function setUp(wall = NOW, store?: Store) {
  const failures: TransportError[] = [];
  return {
    lives: new Lives({ wall: () => wall, store, onFailed: (error) => failures.push(error) }),
    failures,
  };
}

test('without a store a life has the time of the start, and the one after it the next number', (t) => {
  const { lives } = setUp(NOW + 0.7);
  t.is(lives.next(), NOW);
  t.is(lives.next(), NOW, 'another topic');
  lives.used(NOW);
  t.is(lives.next(), NOW + 1);
});

test('with a store each start is above all earlier ones, whatever the clock says', async (t) => {
  const store = createMemoryStore();
  let before = -1;
  for (const wall of [NOW, 0, NOW - 1, -5, Number.NaN, Number.MAX_SAFE_INTEGER, 0, 0]) {
    const { lives, failures } = setUp(wall, store);
    await lives.load();
    for (let i = 0; i < 3; i++) {
      const life = lives.next();
      t.true(life > before && life < 2 ** 48, `${life} after ${before}`);
      lives.used(life);
      before = life;
    }
    t.deepEqual(failures, []);
  }
});

test('lives of one start, and of a later one, are above all earlier ones; a store that fails is reported and tried again', async (t) => {
  const store = createMemoryStore();
  let fails = false;
  const flaky: Store = {
    ...store,
    set: (key, value) => (fails ? Promise.reject(new Error('no disk')) : store.set(key, value)),
  };
  const { lives, failures } = setUp(100, flaky);
  await lives.load();
  fails = true;
  for (let i = 0; i < 40_000; i++) lives.used(lives.next());
  await settled();
  t.deepEqual([failures.length, failures[0]?.code], [1, 'unavailable']);
  fails = false;
  const kept = await store.get('gossip-life');
  lives.used(lives.next());
  await settled();
  t.notDeepEqual(await store.get('gossip-life'), kept);
  for (let i = 0; i < 100_000; i++) {
    lives.used(lives.next());
    if (i % 10_000 === 0) await settled();
  }
  await settled();
  const last = lives.next();
  const again = setUp(100, store).lives;
  await again.load();
  t.true(again.next() > last);
});

test('a stranger is believed up to ten years ahead of the clock and of 2026, a proven node further, but none without limit', (t) => {
  const { lives } = setUp();
  t.is(lives.above(NOW + 5, false), NOW + 6);
  t.is(lives.above(NOW + 1, false), NOW + 6, 'it is above it already');
  t.is(lives.above(NOW + TEN_YEARS, false), undefined);
  t.is(lives.above(2 ** 48 - 1, false), undefined);
  t.is(lives.above(NOW + TEN_YEARS, true), NOW + TEN_YEARS + 1);
  t.is(lives.above(2 ** 47, true), undefined);
  t.is(lives.above(2 ** 48 - 1, true), undefined);
  t.is(setUp(0).lives.above(NOW, false), NOW + 1, 'the clock was never set');
  t.is(setUp(0).lives.above(NOW + TEN_YEARS, false), undefined);
});
