// Tests of the iterator over connections coming up and going down.

import test from 'ava';
import type { Remote } from '../remote.ts';
import { ConnectionEvents } from './connection-events.ts';

const remote = (id: string) => ({ id }) as Remote;
const names = (events: { type: string; remote: Remote }[]) =>
  events.map((event) => `${event.type} ${event.remote.id}`);

async function take(events: ConnectionEvents, count: number) {
  const taken: { type: string; remote: Remote }[] = [];
  for (let i = 0; i < count; i++) taken.push((await events.next()).value!);
  return names(taken);
}

test('live connections come first, then changes', async (t) => {
  const events = new ConnectionEvents([remote('a'), remote('b')], () => {});
  events.push({ type: 'up', remote: remote('c') });
  events.push({ type: 'down', remote: remote('a') });
  t.deepEqual(await take(events, 4), ['up a', 'up b', 'up c', 'down a']);
});

test('a waiting reader gets an event at once; several readers get it in order', async (t) => {
  const events = new ConnectionEvents([], () => {});
  const [first, second] = [events.next(), events.next()];
  events.push({ type: 'up', remote: remote('a') });
  events.push({ type: 'up', remote: remote('b') });
  t.deepEqual([(await first).value!.remote.id, (await second).value!.remote.id], ['a', 'b']);
});

test('after the transport closes, unread events can still be read; then the iterator is done', async (t) => {
  const events = new ConnectionEvents([remote('a')], () => {});
  events.end();
  t.deepEqual(await take(events, 1), ['up a']);
  t.is((await events.next()).done, true);
});

test('the end reaches a waiting reader', async (t) => {
  const events = new ConnectionEvents([], () => {});
  const next = events.next();
  events.end();
  t.is((await next).done, true);
});

test('a reader that leaves the loop gets no more events and is forgotten', async (t) => {
  const left: ConnectionEvents[] = [];
  const events: ConnectionEvents = new ConnectionEvents(
    [remote('a'), remote('b')],
    (gone) => void left.push(gone),
  );
  for await (const _ of events) break;
  t.deepEqual(left, [events]);
  t.is((await events.next()).done, true);
});

test('a slow reader misses connections that came and went, but none that is live', async (t) => {
  const events = new ConnectionEvents([], () => {});
  const stays = remote('stays');
  events.push({ type: 'up', remote: stays });
  for (let i = 0; i < 10_000; i++) {
    const passing = remote(`p${i}`);
    events.push({ type: 'up', remote: passing });
    events.push({ type: 'down', remote: passing });
  }
  const left = remote('left');
  events.push({ type: 'up', remote: left });
  events.end();
  const all: { type: string; remote: Remote }[] = [];
  for await (const event of events) all.push(event);
  t.true(all.length < 1_100, String(all.length));
  const live = new Set<Remote>();
  for (const { type, remote: who } of all) type === 'up' ? live.add(who) : live.delete(who);
  t.deepEqual(
    [...live].map(({ id }) => id),
    ['stays', 'left'],
  );
});

test('a down whose up was read is delivered however long the queue is', async (t) => {
  const known = remote('known');
  const events = new ConnectionEvents([known], () => {});
  await events.next();
  for (let i = 0; i < 2_000; i++) events.push({ type: 'up', remote: remote(`u${i}`) });
  events.push({ type: 'down', remote: known });
  events.end();
  const all: string[] = [];
  for await (const event of events) all.push(...names([event]));
  t.is(all.at(-1), 'down known');
});
