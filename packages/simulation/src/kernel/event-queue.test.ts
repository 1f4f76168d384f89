// Tests of the order of events, and of canceled and postponed ones.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { type EventOwner, EventQueue, type SimEvent } from './event-queue.ts';

const owner = (name: string, more: Partial<EventOwner> = {}): EventOwner => ({
  name,
  number: 1,
  isClient: false,
  alive: true,
  busyUntil: 0,
  cost: 0,
  ...more,
});

function add(queue: EventQueue, at: number, argument: unknown = at, of?: EventOwner): SimEvent {
  return queue.add(at, 'timer', of, () => {}, argument);
}

/** Takes all events due up to `end` and returns their argument. */
function take(queue: EventQueue, end = Number.POSITIVE_INFINITY): unknown[] {
  const all: unknown[] = [];
  for (let event = queue.next(end); event !== undefined; event = queue.next(end)) {
    event.run = undefined;
    all.push(event.argument);
  }
  return all;
}

test('events run in order of time, those of one time in the order they were scheduled', (t) => {
  const random = seededRandom(1);
  for (let round = 0; round < 50; round++) {
    const queue = new EventQueue();
    const all = Array.from({ length: 200 }, (_, order) => ({
      at: Math.floor(random() * 20),
      order,
    }));
    for (const event of all) add(queue, event.at, event);
    t.is(queue.size, 200);
    t.deepEqual(
      take(queue),
      [...all].sort((a, b) => a.at - b.at || a.order - b.order),
    );
    t.is(queue.size, 0);
  }
});

test('canceled events never run, however many there are, and are not counted', (t) => {
  const random = seededRandom(2);
  const queue = new EventQueue();
  const kept: number[] = [];
  for (let round = 0; round < 20; round++) {
    const events = Array.from({ length: 300 }, () => add(queue, random()));
    for (const event of events) {
      if (random() < 0.9) queue.cancel(event);
      else kept.push(event.at);
    }
    t.is(queue.size, kept.length);
  }
  t.deepEqual(
    take(queue),
    kept.sort((a, b) => a - b),
  );
});

test('events stay in order when canceled ones are removed, the earliest among them', (t) => {
  const queue = new EventQueue();
  const times = [0, 5, 1, ...Array.from({ length: 100 }, (_, i) => 10 + i)];
  const events = times.map((at) => add(queue, at));
  // The queue removes canceled events once there are 65 of them.
  for (const event of [events[0]!, ...events.slice(-64)]) queue.cancel(event);
  t.deepEqual(take(queue), [1, 5, ...times.slice(3, -64)]);
});

test('canceling twice, or an event that has run, does nothing', (t) => {
  const queue = new EventQueue();
  const [first, second] = [add(queue, 1), add(queue, 2)];
  const taken = queue.next(1)!;
  taken.run = undefined;
  t.is(taken, first);
  queue.cancel(first);
  queue.cancel(second);
  queue.cancel(second);
  t.is(queue.size, 0);
  add(queue, 3);
  t.is(queue.size, 1);
  t.deepEqual(take(queue), [3]);
});

test('an event at the end runs, and one after it does not', (t) => {
  const queue = new EventQueue();
  for (const at of [1, 2, 2.5, 3]) add(queue, at);
  t.deepEqual(take(queue, 2), [1, 2]);
  t.is(queue.next(2.4), undefined);
  t.deepEqual(take(queue, 3), [2.5, 3]);
});

test('events of dead owners are dropped', (t) => {
  const queue = new EventQueue();
  const [dead, living] = [owner('dead'), owner('living')];
  add(queue, 1, 'd', dead);
  add(queue, 2, 'l', living);
  add(queue, 3, 'w');
  dead.alive = false;
  t.deepEqual(take(queue), ['l', 'w']);
  t.is(queue.size, 0);
});

test('events of busy owners wait until they are free, then run in order of time; others do not wait', (t) => {
  const queue = new EventQueue();
  const busy = owner('busy', { busyUntil: 10 });
  add(queue, 5, 'five', busy);
  add(queue, 3, 'three', busy);
  add(queue, 4, 'other');
  add(queue, 1, 'one', busy);
  add(queue, 11, 'eleven', busy);
  t.deepEqual(take(queue, 9), ['other']);
  t.is(queue.size, 4);
  const first = queue.next(10)!;
  t.deepEqual([first.at, first.argument], [10, 'one']);
  t.deepEqual(take(queue), ['three', 'five', 'eleven']);
});

test('extending a busy time makes the waiting events wait longer', (t) => {
  const queue = new EventQueue();
  const busy = owner('busy', { busyUntil: 10 });
  add(queue, 1, 'a', busy);
  add(queue, 2, 'b', busy);
  t.is(queue.next(9), undefined);
  busy.busyUntil = 20;
  t.is(queue.next(19), undefined);
  t.deepEqual(take(queue, 20), ['a', 'b']);
});

test('an event of an owner that has ended is gone: canceling it later counts nothing', (t) => {
  for (const drop of [
    (queue: EventQueue) => queue.next(9),
    (queue: EventQueue) => queue.soonest(),
  ]) {
    const queue = new EventQueue();
    const ended = owner('a');
    const event = add(queue, 1, 1, ended);
    ended.alive = false;
    drop(queue);
    queue.cancel(event);
    add(queue, 20);
    t.is(queue.size, 1);
  }
});
