// Tests of the ring: offsets, limits and age.

import test from 'ava';
import { Ring } from './ring.ts';

const filled = (count: number, limits = { items: 4, bytes: 100 }, size = 10) => {
  const ring = new Ring<number>(limits);
  for (let item = 0; item < count; item++) ring.append(item, size, item);
  return ring;
};

test('a ring keeps the newest items, each at its offset', (t) => {
  const ring = filled(10);
  t.is(ring.first, 6);
  t.is(ring.next, 10);
  t.is(ring.at(5), undefined);
  t.is(ring.at(6)?.item, 6);
  t.is(ring.at(9)?.item, 9);
  t.is(ring.at(10), undefined);
  t.is(ring.bytes, 40);
});

test('a ring drops the oldest items above its bytes, but keeps the newest', (t) => {
  const ring = filled(10, { items: 100, bytes: 25 });
  t.is(ring.first, 8);
  ring.append(10, 1_000, 10);
  t.is(ring.length, 1);
  t.is(ring.at(10)?.item, 10);
  t.is(ring.bytes, 1_000);
});

test('a ring drops old items, but none from an offset on', (t) => {
  const ring = filled(4);
  ring.dropUntil(2, 2);
  t.is(ring.first, 2);
  t.is(ring.oldest, 2);
  ring.dropUntil(100, 100);
  t.is(ring.length, 0);
  t.is(ring.oldest, undefined);
  t.is(ring.next, 4);
  ring.append(4, 10, 5);
  t.is(ring.at(4)?.item, 4);
});

test('a ring equals a list from which the oldest are removed', (t) => {
  const ring = new Ring<number>({ items: 37, bytes: Number.POSITIVE_INFINITY });
  for (let item = 0; item < 1_000; item++) {
    ring.append(item, 1, item);
    if (item % 7 === 0) ring.dropUntil(item - 20, item - 10);
    for (let at = ring.first; at < ring.next; at++) t.is(ring.at(at)?.item, at);
    t.is(ring.bytes, ring.length);
  }
});
