// Tests of the iterator over connections coming up and going down.

import test from 'ava';
import { TransportError } from '../errors.ts';
import { EventHub } from '../event-hub.ts';
import type { Remote } from '../remote.ts';
import { pluck } from '../testing/pluck.ts';
import { enqueue } from './connection-events.ts';
import type { ConnectionEvent } from './types.ts';

const remote = (id: string) => ({ id }) as Remote;
const names = (events: ConnectionEvent[]) =>
  events.map((event) =>
    event.type === 'failed' ? `failed ${event.target}` : `${event.type} ${event.remote.id}`,
  );

/** Returns a hub, and a reader that starts with these live connections. */
function follow(...live: Remote[]) {
  const hub = new EventHub<ConnectionEvent>(undefined, enqueue);
  return { hub, events: hub.follow(live.map((remote) => ({ type: 'up', remote }))) };
}

async function take(events: AsyncIterator<ConnectionEvent>, count: number) {
  const taken: ConnectionEvent[] = [];
  for (let i = 0; i < count; i++) taken.push((await events.next()).value);
  return names(taken);
}

/** Returns all events up to the end. */
async function rest(events: AsyncIterable<ConnectionEvent>) {
  const all: ConnectionEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

test('live connections come first, then changes', async (t) => {
  const { hub, events } = follow(remote('a'), remote('b'));
  hub.tell({ type: 'up', remote: remote('c') });
  hub.tell({ type: 'down', remote: remote('a') });
  t.deepEqual(await take(events, 4), ['up a', 'up b', 'up c', 'down a']);
});

test('a waiting reader gets an event at once; several readers get it in order', async (t) => {
  const { hub, events } = follow();
  const [first, second] = [events.next(), events.next()];
  hub.tell({ type: 'up', remote: remote('a') });
  hub.tell({ type: 'up', remote: remote('b') });
  t.deepEqual(names([(await first).value!, (await second).value!]), ['up a', 'up b']);
});

test('after the transport closes, unread events can still be read; then the iterator is done', async (t) => {
  const { hub, events } = follow(remote('a'));
  hub.end();
  t.deepEqual(await take(events, 1), ['up a']);
  t.is((await events.next()).done, true);
});

test('the end reaches a waiting reader', async (t) => {
  const { hub, events } = follow();
  const next = events.next();
  hub.end();
  t.is((await next).done, true);
});

test('a reader that leaves the loop gets no more events and is forgotten', async (t) => {
  const { hub, events } = follow(remote('a'), remote('b'));
  t.true(hub.isRead);
  for await (const _ of events) break;
  t.false(hub.isRead);
  t.is((await events.next()).done, true);
});

test('a slow reader misses connections that came and went, but none that is live', async (t) => {
  const { hub, events } = follow();
  const stays = remote('stays');
  hub.tell({ type: 'up', remote: stays });
  for (let i = 0; i < 10_000; i++) {
    const passing = remote(`p${i}`);
    hub.tell({ type: 'up', remote: passing });
    hub.tell({ type: 'down', remote: passing });
  }
  const left = remote('left');
  hub.tell({ type: 'up', remote: left });
  hub.end();
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
  const { hub, events } = follow(known);
  await events.next();
  for (let i = 0; i < 2_000; i++) hub.tell({ type: 'up', remote: remote(`u${i}`) });
  hub.tell({ type: 'down', remote: known });
  hub.end();
  const all = names(await rest(events));
  t.is(all.at(-1), 'down known');
});

test('a reader that lags gets the last of many failed dials, and everything about live connections', async (t) => {
  const stays = remote('stays');
  const { hub, events } = follow(stays);
  const error = new TransportError('unavailable', 'refused');
  for (let i = 0; i < 10_000; i++) hub.tell({ type: 'failed', target: `t${i}`, error });
  hub.tell({ type: 'up', remote: remote('late') });
  hub.end();
  const all = names(await rest(events));
  t.is(all.length, 1_025);
  t.deepEqual([all[0], ...all.slice(-2)], ['up stays', 'failed t9999', 'up late']);
});
