// Tests of a pool with several connections to one target: which calls they get, and when the pool
// grows.

import test from 'ava';
import { TransportError } from '../errors.ts';
import type { Connection, ConnectionHost, ConnectionInit } from './connection.ts';
import { Dialer, type DialTarget } from './dial.ts';
import type { DialOptions } from './stream-layer.ts';
import { FakeConnection, poolFixture } from './testing/pool-fixture.ts';

const REFUSED = new TransportError('unavailable', 'refused', { reason: 'connection_refused' });

/** Returns a pool with one connection, and a function that lets time pass and returns the dials. */
async function grown(maxPool?: number) {
  const fixture = poolFixture(maxPool);
  const { pool, clock, dials, call, start } = fixture;
  const dialsAfter = (milliseconds: number) => {
    clock.advance(milliseconds);
    pool.wake(clock.now());
    return dials.length;
  };
  const crowd = (connection: FakeConnection, isCrowded = true) => {
    connection.crowded = isCrowded;
    pool.crowding(connection.real);
  };
  start('a:1', call());
  return { ...fixture, first: await dials[0]!.up(), dialsAfter, crowd };
}

test('short calls stay on the first connection, bulky ones go to the least loaded', async (t) => {
  const { pool, first, call, start } = await grown();
  const second = new FakeConnection('a:1');
  pool.add(second.real);
  first.parts.load = 100;
  second.parts.load = 5;
  start('a:1', call());
  start('a:1', call(), true);
  t.deepEqual([first.started.length, second.started.length], [2, 1]);
  second.parts.load = 500;
  start('a:1', call(), true);
  t.is(first.started.length, 3);
});

test('a pool whose connections are all crowded for 50 ms grows in the background, up to maxPool', async (t) => {
  const { pool, clock, dials, failed, wakes, first, dialsAfter, crowd, call, start } =
    await grown(2);
  crowd(first);
  t.is(wakes.at(-1), 50);
  clock.advance(49);
  t.is(pool.wake(49), 50);
  t.is(dials.length, 1);
  t.is(dialsAfter(1), 2);
  start('a:1', call());
  t.is(first.started.length, 2, 'no call waits for the new one');
  const second = await dials[1]!.up();
  t.deepEqual(pool.connectionsOf('a:1'), [first.real, second.real]);
  crowd(second);
  t.is(dialsAfter(100), 2, 'maxPool');
  t.deepEqual(failed, []);
});

test('if credit arrives within the 50 ms, or one connection has some, the pool stays as it is', async (t) => {
  const { pool, clock, first, dialsAfter, crowd } = await grown();
  crowd(first);
  clock.advance(30);
  crowd(first, false);
  t.is(dialsAfter(30), 1);
  pool.add(new FakeConnection('a:1').real);
  crowd(first);
  t.is(dialsAfter(60), 1);
});

test('a failed background dial affects no call and is reported', async (t) => {
  const { dials, failed, first, dialsAfter, crowd, call, start } = await grown();
  crowd(first);
  t.is(dialsAfter(50), 2);
  await dials[1]!.fail(REFUSED);
  t.is(failed.length, 1, 'the observer is notified');
  const next = call();
  start('a:1', next);
  t.is(first.started.at(-1), next);
  for (let i = 0; i < 18; i++)
    t.is(dialsAfter(50), 2, 'a peer that is full is not dialed at each turn');
  t.is(dialsAfter(100), 3);
});

test('a host name is dialed at the IP addresses of the membership while a connection that was dialed there lives', async (t) => {
  const dialed: unknown[] = [];
  const known = [['192.0.2.1']];
  const host = {
    config: {},
    full: () => undefined,
    reporter: { dial: (_: string, run: () => unknown) => run() },
    ticker: { run: (work: () => void) => work() },
    membership: { addressesOf: () => known.pop() },
    layer: { dial: async (_: string, { addresses }: DialOptions) => void dialed.push(addresses) },
    add: (_: unknown, { opened }: ConnectionInit) =>
      Object.assign(new FakeConnection('host:1'), { start: () => opened!(undefined) }),
  } as unknown as ConnectionHost;
  const dialer = new Dialer(host);
  const connections: Connection[] = [];
  const target = { target: 'host:1', address: 'host:1', connections } as unknown as DialTarget;
  const dial = () => dialer.open(target, new AbortController().signal);
  for (let i = 0; i < 3; i++) connections.push(await dial());
  connections.shift();
  await dial();
  connections.length = 0;
  await dial();
  const [first] = dialed;
  t.deepEqual(dialed, [['192.0.2.1'], first, first, first, undefined]);
});
