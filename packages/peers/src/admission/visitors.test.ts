// Tests of the limits on visits to a full node.

import type { Remote } from '@trunkline/transport-core';
import test from 'ava';
import { Visits } from './admission.ts';

const others = (count: number) => Array.from({ length: count }, (_, i) => `other ${i}`);

/** Answers an admitted visit, and ends it. */
function answer(visits: Visits, nodeId: string, now: number): void {
  const remote = { direction: 'in' } as Remote;
  visits.begin(remote, nodeId, now);
  visits.conclude(remote, 'in', now);
  visits.end(remote);
}

test('a hundred visits are admitted at once, then a hundred per second', (t) => {
  const visits = new Visits(10_000);
  const take = (from: number, now: number) =>
    Array.from({ length: 200 }, (_, i) => visits.take(`${from + i}`, [], now)).filter(Boolean)
      .length;
  t.is(take(0, 0), 100);
  t.is(take(1_000, 500), 50);
  t.is(take(2_000, 10_000), 100);
});

test('a visitor that got addresses may return after its pause, and at most 64 visitors are there at once', (t) => {
  const visits = new Visits(10_000);
  t.true(visits.take('a', [], 0));
  t.true(visits.take('a', [], 0), 'its first visit did not succeed');
  answer(visits, 'a', 0);
  t.false(visits.take('a', [], 9_999));
  t.true(visits.take('a', [], 10_000));
  t.true(visits.take('b', others(63), 10_000));
  t.false(visits.take('c', others(64), 10_000));
});

test('the list of visitors remembers only the nodes of one pause', (t) => {
  const visits = new Visits(10_000);
  for (let now = 0; now < 60_000; now++)
    if (visits.take(`n${now}`, [], now)) answer(visits, `n${now}`, now);
  t.true(visits.size <= 1_101, String(visits.size));
});
