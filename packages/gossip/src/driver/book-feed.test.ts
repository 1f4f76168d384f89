import test from 'ava';
import { BookFeed } from './book-feed.ts';
import type { Dials } from './dials.ts';

/** A feed and when it dialled, in seconds. */
function feedOf({ holds = true, isHungry = true } = {}) {
  const overlay = { isHungry };
  const dialled: number[] = [];
  let now = 0;
  const feed = new BookFeed({
    clock: { now: () => now } as never,
    random: () => 0.5,
    peers: { known: (count = 16) => Array.from({ length: count }, (_, i) => `n${i}`) },
    dials: {
      reach: () => {
        dialled.push(Math.round(now / 1_000));
        return Promise.reject(new Error('nobody is there'));
      },
    } as unknown as Dials,
    overlay: { holds },
    sessions: new Map([['topic', { overlay }]]),
  });
  const run = (until: number) => {
    for (; Math.max(now, feed.due) <= until; feed.wake(now)) now = Math.max(now, feed.due);
    now = until;
  };
  return { feed, overlay, dialled, run };
}

const times = (count: number, seconds: readonly number[]) => seconds.flatMap((second) => Array.from({ length: count }, () => second));

test('a hungry node dials eight strangers at a time, each time after twice as long, down to once in two minutes', (t) => {
  const { dialled, run } = feedOf();
  run(600_000);
  t.deepEqual(dialled, times(8, [1, 3, 7, 15, 31, 63, 127, 247, 367, 487]));
});

test('one that is not hungry dials one a minute; hunger is seen to at once, and begins anew each time', (t) => {
  const { overlay, dialled, run } = feedOf({ isHungry: false });
  run(200_000);
  t.deepEqual(dialled, [30, 90, 150]);
  overlay.isHungry = true;
  run(209_000);
  t.deepEqual(dialled.slice(3), times(8, [201, 203, 207]));
  overlay.isHungry = false;
  run(280_000);
  t.deepEqual(dialled.slice(3 + 24), [215, 275]);
  overlay.isHungry = true;
  run(282_000);
  t.deepEqual(dialled.slice(3 + 26), times(8, [281]));
});

test('where peers see to who is connected, as on a full mesh, nobody is dialled', (t) => {
  const { feed, dialled, run } = feedOf({ holds: false });
  run(600_000);
  t.deepEqual(dialled, []);
  t.is(feed.due, Number.POSITIVE_INFINITY);
});
