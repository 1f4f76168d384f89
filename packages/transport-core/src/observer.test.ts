// Tests of observers that are combined into one.

import test from 'ava';
import { combineObservers } from './observer.ts';

test('combined observers all receive an event, in order, even if one of them throws', (t) => {
  const seen: string[] = [];
  const observer = combineObservers(
    {
      count() {
        throw new Error('broken');
      },
    },
    { count: (counter, amount) => void seen.push(`${counter} ${amount}`) },
  );
  observer.count!('lateReply', 2, undefined, false);
  t.deepEqual(seen, ['lateReply 2']);
});

test('combined observers have no hook that none of them has', (t) => {
  t.deepEqual(Object.keys(combineObservers({ callEnded() {} }, { event() {} })), [
    'event',
    'callEnded',
  ]);
});

test('a combined hook is called on its own observer', (t) => {
  class Counting {
    total = 0;
    count(_: string, amount: number): void {
      this.total += amount;
    }
  }
  const counting = new Counting();
  combineObservers(counting).count!('slowed', 3, undefined, false);
  t.is(counting.total, 3);
});
