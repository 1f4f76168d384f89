// Tests of the iterator over connections coming up and going down.

import test from 'ava';
import { TransportError } from '../errors.ts';
import type { Remote } from '../remote.ts';
import { pluck } from '../testing/pluck.ts';
import { ConnectionEvents } from './connection-events.ts';
import type { ConnectionEvent } from './types.ts';

const remote = (id: string) => ({ id }) as Remote;
const names = (events: ConnectionEvent[]) =>
  events.map((event) =>
    event.type === 'failed' ? `failed ${event.target}` : `${event.type} ${event.remote.id}`,
  );

async function take(events: ConnectionEvents, count: number) {
  const taken: ConnectionEvent[] = [];
  for (let i = 0; i < count; i++) taken.push((await events.next()).value!);
  return names(taken);
}

/** Returns all events up to the end. */
async function rest(events: ConnectionEvents) {
  const all: ConnectionEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
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
  t.deepEqual(names([(await first).value!, (await second).value!]), ['up a', 'up b']);
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
  const left: unknown[] = [];
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
  const all = await rest(events);
  t.true(all.length < 1_100, String(all.length));
  const live = new Set<Remote>();
  for (const event of all)
    if (event.type === 'up') live.add(event.remote);
    else if (event.type === 'down') live.delete(event.remote);
  t.deepEqual(pluck(live, 'id'), ['stays', 'left']);
});

test('a down whose up was read is delivered however long the queue is', async (t) => {
  const known = remote('known');
  const events = new ConnectionEvents([known], () => {});
  await events.next();
  for (let i = 0; i < 2_000; i++) events.push({ type: 'up', remote: remote(`u${i}`) });
  events.push({ type: 'down', remote: known });
  events.end();
  const all = names(await rest(events));
  t.is(all.at(-1), 'down known');
});

test('a reader that lags gets the last of many failed dials, and everything about live connections', async (t) => {
  const stays = remote('stays');
  const events = new ConnectionEvents([stays], () => {});
  const error = new TransportError('unavailable', 'refused');
  for (let i = 0; i < 10_000; i++) events.push({ type: 'failed', target: `t${i}`, error });
  events.push({ type: 'up', remote: remote('late') });
  events.end();
  const all = names(await rest(events));
  t.is(all.length, 1_025);
  t.deepEqual([all[0], ...all.slice(-2)], ['up stays', 'failed t9999', 'up late']);
});
