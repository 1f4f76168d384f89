// Tests the heap of deadlines: its order, and removal from any place.

import test from 'ava';
import { seededRandom } from '../random.ts';
import { Deadlines } from './deadlines.ts';

interface Due {
  place: number;
  time: number;
}

/** Removes all entries, the earliest first, and returns their times. */
function drain(deadlines: Deadlines<Due>): number[] {
  const times: number[] = [];
  for (let first = deadlines.first; first !== undefined; first = deadlines.first) {
    times.push(deadlines.next);
    deadlines.remove(first);
  }
  return times;
}

test('entries leave in order of time, whatever the order of additions and removals', (t) => {
  const random = seededRandom(7);
  for (let round = 0; round < 50; round++) {
    const deadlines = new Deadlines<Due>();
    const entries = Array.from({ length: 100 }, () => ({
      place: -1,
      time: Math.floor(random() * 200),
    }));
    for (const entry of entries) deadlines.add(entry, entry.time);
    const kept = entries.filter(() => random() < 0.5);
    for (const entry of entries) if (!kept.includes(entry)) deadlines.remove(entry);
    t.deepEqual(
      drain(deadlines),
      kept.map(({ time }) => time).sort((a, b) => a - b),
    );
    t.true(entries.every(({ place }) => place === -1));
    t.is(deadlines.first, undefined);
    t.is(deadlines.next, Number.POSITIVE_INFINITY);
  }
});

test('an entry that is added again keeps its earlier time, and is there once', (t) => {
  const deadlines = new Deadlines<Due>();
  const entries = Array.from({ length: 10 }, (_, i) => ({ place: -1, time: i }));
  for (const entry of entries) deadlines.add(entry, 100 + entry.time);
  deadlines.add(entries[9]!, 50);
  deadlines.add(entries[0]!, 500);
  t.is(deadlines.first, entries[9]);
  t.deepEqual(drain(deadlines), [50, 100, 101, 102, 103, 104, 105, 106, 107, 108]);
});

test('an entry that is in no heap can be removed', (t) => {
  const deadlines = new Deadlines<Due>();
  const entry = { place: -1, time: 1 };
  deadlines.remove(entry);
  deadlines.add(entry, 1);
  deadlines.remove(entry);
  deadlines.remove(entry);
  t.is(deadlines.first, undefined);
});
