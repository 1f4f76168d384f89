// Tests the count of one-ways whose credit has not been returned.

import test from 'ava';
import { seededRandom } from '../random.ts';
import { UncreditedOneWays } from './outgoing.ts';

test('credit above the spent amount does not count later', (t) => {
  const uncredited = new UncreditedOneWays();
  uncredited.oneway(100);
  uncredited.credited(1_000);
  uncredited.oneway(100);
  t.is(uncredited.size, 1);
  uncredited.credited(50);
  t.is(uncredited.size, 1);
});

test('the queue agrees with a plain list after any operations', (t) => {
  const random = seededRandom(7);
  const uncredited = new UncreditedOneWays();
  const list: number[] = [];
  let owed = 0;
  let credit = 0;
  for (let step = 0; step < 50_000; step++) {
    if (random() < (step % 10_000 < 5_000 ? 0.7 : 0.3)) {
      const cost = 64 + Math.floor(random() * 1_000);
      const isRequest = random() < 0.2;
      list.push(isRequest ? -cost : cost);
      owed += cost;
      if (isRequest) uncredited.request(cost);
      else uncredited.oneway(cost);
    } else if (owed > 0) {
      const back = 1 + Math.floor(random() * Math.min(owed, 1_500));
      if (back > owed) continue;
      owed -= back;
      credit += back;
      while (list.length > 0 && Math.abs(list[0]!) <= credit) credit -= Math.abs(list.shift()!);
      uncredited.credited(back);
    }
    t.is(uncredited.size, list.filter((cost) => cost > 0).length);
  }
});

test('its memory is bounded for any sizes: messages that do not fit count with their mean cost, and none is missed', (t) => {
  const uncredited = new UncreditedOneWays();
  let spent = 0;
  for (let i = 0; i < 50_000; i++) {
    const cost = 64 + (i % 7);
    spent += cost;
    if (i % 5 === 0) uncredited.request(cost);
    else uncredited.oneway(cost);
  }
  t.is(uncredited.size, 40_000);
  uncredited.credited(spent / 2);
  t.true(Math.abs(uncredited.size - 20_000) < 20, `${uncredited.size}`);
  uncredited.oneway(100);
  uncredited.credited(spent / 2);
  t.is(uncredited.size, 1);
  uncredited.credited(100);
  t.is(uncredited.size, 0);
});

test('any number of equal messages takes no memory', (t) => {
  const uncredited = new UncreditedOneWays();
  for (let i = 0; i < 1_000_000; i++) uncredited.oneway(64);
  uncredited.credited(64 * 999_000 + 63);
  t.is(uncredited.size, 1_000);
  uncredited.credited(1);
  t.is(uncredited.size, 999);
});
