// Tests of the EventHub and its readers.

import test from 'ava';
import { EventHub } from './event-hub.ts';

const hub = () => new EventHub<number | string>((missed) => `missed ${missed}`);

test('each reader gets earlier events as its own list, and all later ones', async (t) => {
  const events = hub();
  const one = events.follow([1, 2]);
  events.tell(3);
  const other = events.follow([]);
  events.tell(4);
  events.end();
  const all: unknown[] = [];
  for await (const event of one) all.push(event);
  t.deepEqual(all, [1, 2, 3, 4]);
  t.deepEqual(await other.next(), { value: 4, done: false });
  t.true((await other.next()).done);
});

test('a waiting reader gets the next event, and a slow one misses the oldest and learns how many', async (t) => {
  const events = hub();
  const [quick, slow] = [events.follow([]), events.follow([])];
  const next = quick.next();
  for (let i = 0; i < 5_000; i++) events.tell(i);
  t.deepEqual(await next, { value: 0, done: false });
  t.is((await slow.next()).value, 'missed 904');
  t.is((await slow.next()).value, 904);
});

test('a reader that leaves is forgotten; one that comes after the end gets its list and the end', async (t) => {
  const events = hub();
  t.false(events.isRead);
  const reader = events.follow([1]);
  t.true(events.isRead);
  await reader.return?.();
  t.false(events.isRead);
  t.true((await reader.next()).done);
  events.end();
  const late = events.follow([7]);
  t.is((await late.next()).value, 7);
  t.true((await late.next()).done);
});
