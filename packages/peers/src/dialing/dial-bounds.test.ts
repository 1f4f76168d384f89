// Tests of the limits of the dial planner: the rate, concurrent dials, dials per host, and
// remembered addresses.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { AddressHistory, ReconnectList } from './dial-history.ts';
import {
  dialsOf,
  HOUR,
  hang,
  idOf,
  type PlannerFixture,
  ran,
  refused,
  someones,
  up,
} from './testing/planner-fixture.ts';

const names = (length: number) => Array.from({ length }, (_, i) => `n${i}:1`);

test('a few persistent peers are dialed at once, many are spread over three intervals', (t) => {
  const few = ran(10, { persistent: names(4), maxOutbound: 0 });
  t.is(few.dialed.length, 4);
  const many = ran(3_100, { persistent: names(300), maxOutbound: 0, outcome: up(HOUR) });
  t.is(many.dialed.length, 300);
  for (let second = 0; second < 3; second++) {
    const count = many.dialed.filter(({ at }) => Math.floor(at / 1_000) === second).length;
    t.true(count > 70 && count < 130, `${count} in second ${second}`);
  }
  const reconnect = { interval: 60_000, max: 60_000, jitter: 0 };
  const slow = ran(3_000, { persistent: names(9), maxOutbound: 0, reconnect });
  t.is(slow.dialed.length, 9);
});

test('dials keep to their limits per second, at once and per host', (t) => {
  const book = Array.from({ length: 400 }, (_, i) => ({
    nodeId: idOf(i),
    address: `victim.example:${1_000 + i}`,
  }));
  const outcome = () => ({ after: 1, error: refused });
  const rate = ran(10_000, { book, maxOutbound: 100, outcome });
  const { length } = rate.dialed;
  t.true(length >= 215 && length <= 221, `${length} in ten seconds`);
  t.is(rate.dialed.filter(({ at }) => at < 50).length, 20);

  const concurrent = ran(60_000, { book, maxOutbound: 100, outcome: hang });
  t.is(concurrent.dialed.length, 16);

  const host = ran(60_000, {
    book: [...book, ...someones(5, 1_000)],
    maxOutbound: 100,
    perHost: 2,
    persistent: ['victim.example:1', 'victim.example:2'],
    outcome: hang,
  });
  t.is(host.dialed.length, 2 + 2 + 5);
});

test('three dials begin at once; the next one waits until one is over or is a second old', (t) => {
  const book = someones(40);
  const timesOf = ({ dialed }: PlannerFixture) => dialed.map(({ at }) => at);
  const prompt = ran(2_000, { book, outcome: (order) => ({ ...up(HOUR)(order), after: 100 }) });
  const times = [0, 0, 0, 100, 100, 100, 200, 200, 200, 300];
  t.deepEqual(timesOf(prompt), times);
  const later = times.map((time) => 10 * time);
  t.deepEqual(timesOf(ran(3_500, { book, outcome: hang })), later);
});

test('persistent peers that hang fill all dials but a quarter', (t) => {
  const fixture = ran(10_000, { persistent: names(200), maxOutbound: 50, outcome: hang });
  fixture.book.push(...someones(50));
  fixture.ask();
  fixture.run(HOUR);
  t.is(dialsOf(fixture, 'persistent').length, 64);
  t.is(dialsOf(fixture, 'book').length, 4);
});

test('if there are more persistent peers than dials at once, each gets its turn', (t) => {
  const persistent = names(200);
  const outcome = () => ({ after: 1_000, error: refused });
  const reconnect = { interval: 1, max: 1, jitter: 0 };
  const fixture = ran(60_000, { persistent, maxOutbound: 0, outcome, reconnect });
  const counts = persistent.map(
    (target) => fixture.dialed.filter(({ address }) => address === target).length,
  );
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  t.true(least >= 15 && most <= 22, `${least} to ${most}`);
});

test('of four thousand failed addresses, the one that was unused longest is forgotten', (t) => {
  const history = new AddressHistory(seededRandom(1));
  const slow = { interval: HOUR, max: HOUR, jitter: 0 };
  for (let i = 0; i < 5_000; i++) {
    history.failed(`a:${i}`, i, slow);
    history.failed('kept:1', i, slow);
  }
  t.is(history.readyAt('a:904'), Number.NEGATIVE_INFINITY);
  t.is(history.readyAt('a:905'), 905 + HOUR);
  t.is(history.readyAt('a:4999'), 4_999 + HOUR);
  t.is(history.failed('kept:1', 0, slow), 5_001);
});

test('of sixty-four peers lost by accident, the one that waits longest is dropped', (t) => {
  const list = new ReconnectList();
  for (let i = 0; i < 70; i++) list.add(`a:${i}`, { nodeId: idOf(i), address: `a:${i}` });
  const isSixth = ({ nodeId }: { nodeId: string }) => nodeId === idOf(6);
  const pick = () => list.pick(isSixth, (candidate) => candidate)?.nodeId;
  t.is(pick(), idOf(7));
  for (let i = 0; i < 3; i++) list.failed(idOf(7));
  t.is(pick(), idOf(8));
});
