// Tests of limits that hold for a peer over all its connections.

import test from 'ava';
import { PeerLimits } from './peer-limits.ts';

const setUp = () => {
  let made = 0;
  return new PeerLimits(() => ++made);
};

test('a node that proved its id finds its limits again; one that only asserted it gets new ones', (t) => {
  const limits = setUp();
  t.deepEqual([limits.of('a', 0), limits.of('b', 0), limits.of('a', 1)], [1, 2, 1]);
  limits.gone('a', true, 2);
  limits.gone('b', false, 2);
  t.deepEqual([limits.of('a', 3), limits.of('b', 3)], [1, 3]);
});

test('limits are forgotten two minutes after the last connection that used them', (t) => {
  const limits = setUp();
  t.is(limits.of('a', 0), 1);
  limits.gone('a', true, 0);
  t.is(limits.of('a', 119_999), 1);
  limits.gone('a', true, 119_999);
  limits.gone('a', true, 200_000); // A connection in between that used none.
  t.is(limits.of('a', 239_999), 2);
});

test('at most 4,096 absent nodes are remembered; the one that left first is forgotten first', (t) => {
  const limits = setUp();
  for (let i = 0; i <= 4_096; i++) {
    limits.of(`n${i}`, i);
    limits.gone(`n${i}`, true, i);
  }
  t.is(limits.size, 4_096);
  t.is(limits.of('n1', 5_000), 2);
  t.is(limits.of('n0', 5_000), 4_098);
  limits.gone('n1', true, 300_000);
  t.is(limits.size, 1, 'those whose time is over are forgotten');
});
