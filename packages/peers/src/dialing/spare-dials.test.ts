// Tests of dials while enough peers are connected.

import test from 'ava';
import type { DialCandidate, DialOrder } from './dial-order.ts';
import {
  dialsOf,
  HOUR,
  PlannerFixture,
  ran,
  refused,
  someone,
  someones,
  up,
} from './testing/planner-fixture.ts';

const MINUTE = 60_000;

/** Seeds refuse; other nodes stay connected. */
const withoutSeeds = (order: DialOrder) =>
  order.kind === 'seed' ? { after: 20, error: refused } : up(HOUR * 9)(order);

test('with all links up one more dial goes to a new node or a seed about every five minutes; with a link to spare none does', (t) => {
  const fixture = ran(4 * MINUTE - 1, {
    book: someones(100),
    seeds: ['seed:1'],
    maxOutbound: 3,
    outcome: withoutSeeds,
  });
  t.deepEqual([fixture.dialed.length, dialsOf(fixture, 'book').length], [3, 3]);
  fixture.run(2 * HOUR);
  const [spare, seeds] = [dialsOf(fixture, 'spare'), dialsOf(fixture, 'seed')];
  const times = [...spare, ...seeds].map(({ at }) => at).sort((a, b) => a - b);
  for (const [i, at] of times.slice(1).entries()) {
    const gap = at - times[i]!;
    t.true(gap >= 4 * MINUTE - 1 && gap <= 6 * MINUTE + 1, `${gap} ms`);
  }
  t.true(spare.length > 5 && seeds.length > 5, `${spare.length} spare, ${seeds.length} to a seed`);
  t.is(new Set(spare.map(({ address }) => address)).size, spare.length);

  const outcome = up(HOUR * 9);
  const hungry = ran(HOUR, { book: someones(2), maxOutbound: 3, outcome });
  t.is(dialsOf(hungry, 'spare').length, 0);
  const none = ran(HOUR, { book: someones(9), seeds: ['seed:1'], maxOutbound: 0, outcome });
  t.is(none.dialed.length, 0);
});

test('a peer lost by accident is searched although others replaced it, until it is connected or given up', (t) => {
  for (const comesBack of [true, false]) {
    const lost = someone(1);
    const outcome = (order: DialOrder, count: number, now: number) => {
      if (order.address !== lost.address || count === 1)
        return up(order.address === lost.address ? 30_000 : HOUR * 9)(order);
      return comesBack && now > 3 * MINUTE ? up(HOUR * 9)(order) : { after: 20, error: refused };
    };
    const fixture = ran(4 * MINUTE, { book: someones(20), maxOutbound: 1, outcome });
    const again = dialsOf(fixture, 'again');
    t.true(again.length > 6, `${again.length} dials`);
    t.true(again.every(({ address }) => address === lost.address));
    fixture.run(HOUR);
    const last = dialsOf(fixture, 'again').at(-1)!.at;
    if (comesBack) t.true(last > 3 * MINUTE && last < 3 * MINUTE + 40_000, `${last} ms`);
    else t.is(dialsOf(fixture, 'again').length, 15, 'the loss was the first of sixteen failures');
  }
});

test('of many lost peers four are dialed at once while all links are up', (t) => {
  const book = someones(20);
  const outcome = (order: DialOrder, count: number) => {
    if (Number(order.address.match(/\d+/)![0]) <= 10 && count === 1) return up(20_000)(order);
    return order.kind === 'again' ? { after: 9_000, error: refused } : up(HOUR * 9)(order);
  };
  const fixture = ran(9 * MINUTE, { book, maxOutbound: 10, outcome });
  const late = dialsOf(fixture, 'again').filter(({ at }) => at > 3 * MINUTE);
  t.true(late.length > 20, `${late.length} dials`);
  const most = Math.max(
    ...late.map(({ at }) => late.filter((dial) => dial.at > at - 9_000 && dial.at <= at).length),
  );
  t.is(most, 4);
});

test('a book without an eligible entry is not searched again before it changes or an entry may be dialed again', (t) => {
  let picks = 0;
  class Counting extends PlannerFixture {
    news = 0;
    override pick(eligible: (candidate: DialCandidate) => boolean): DialCandidate | undefined {
      picks++;
      return super.pick(eligible);
    }
  }
  const fixture = new Counting({ book: someones(3), maxOutbound: 10, outcome: up(HOUR) });
  fixture.run(1_000);
  t.is(fixture.dialed.length, 3);
  picks = 0;
  for (let i = 0; i < 100; i++) fixture.ask();
  t.is(picks, 0);
  fixture.book.push(someone(4));
  fixture.ask();
  t.is(fixture.dialed.length, 3, 'nothing was reported');
  fixture.news++;
  fixture.ask();
  t.is(fixture.dialed.length, 4);
  fixture.run(20_000);
  picks = 0;
  fixture.run(80_000);
  t.true(picks >= 1 && picks <= 5, `${picks}: a ban may have ended`);
});
