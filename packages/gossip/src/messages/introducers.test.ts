// Tests of the limit on how much of a table of origins one peer can fill.

import test from 'ava';
import { Introducers } from './seen-messages.ts';

const options = { origins: 100, flood: 200, period: 1_000 };

test('one peer may introduce half of the origins, all peers three quarters, and more when some are forgotten', (t) => {
  const introducers = new Introducers(options);
  const take = (peer: string, most: number) => {
    let taken = 0;
    for (; taken < most && introducers.mayBring(peer); taken++) introducers.took(peer, 0);
    return taken;
  };
  t.deepEqual([take('a', 99), take('b', 99), take('c', 99)], [50, 25, 0]);
  t.deepEqual([...introducers.full].sort(), ['a', 'b']);
  for (let i = 0; i < 10; i++) introducers.forgot('a');
  t.deepEqual([take('c', 5), take('a', 99)], [5, 5]);
  for (let i = 0; i < 45; i++) introducers.forgot('a');
  for (let i = 0; i < 25; i++) introducers.forgot('b');
  for (let i = 0; i < 5; i++) introducers.forgot('c');
  t.is(introducers.size, 0);
});

test('a flooder is reported once; its origins count for one period', (t) => {
  const introducers = new Introducers(options);
  const refuse = (from: number, to: number, now: number) => {
    let floods = 0;
    for (let i = from; i < to; i++) if (introducers.refused('a', `o${i}`, now)) floods++;
    return floods;
  };
  t.is(refuse(0, 199, 0), 0);
  t.is(refuse(0, 199, 1), 0, 'the same ones');
  t.is(refuse(199, 200, 999), 1);
  t.is(refuse(300, 499, 1_000), 0);
  t.is(refuse(500, 600, 2_000), 0, 'another period');
  introducers.expire(2_999);
  t.is(introducers.size, 1);
  t.is(introducers.due, 3_000);
  introducers.expire(3_000);
  t.is(introducers.size, 0);
  t.is(introducers.due, Number.POSITIVE_INFINITY);
});

test('the origins that a peer introduced count with those that were refused', (t) => {
  const introducers = new Introducers(options);
  for (let i = 0; i < 50; i++) introducers.took('a', 0);
  const floods = Array.from({ length: 150 }, (_, i) => introducers.refused('a', `o${i}`, 0));
  t.is(floods.indexOf(true), 149);
});

test('refused origins are counted for sixteen peers, and nothing is remembered of others', (t) => {
  const introducers = new Introducers(options);
  for (let i = 0; i < 1_000; i++) introducers.refused(`p${i}`, 'x', 0);
  t.is(introducers.size, 16);
  for (let i = 0; i < 100; i++)
    for (let origin = 0; origin < 200; origin++)
      introducers.refused(`q${i}`, `o${origin}`, 10_000 * i);
  introducers.expire(2_000_000);
  t.is(introducers.size, 0);
});
