// Tests of a pool with several connections to one target: which calls they get, and when the pool
// grows.

import test from 'ava';
import { TransportError } from '../errors.ts';
import { FakeConnection, poolFixture } from './testing/pool-fixture.ts';

const REFUSED = new TransportError('unavailable', 'refused', { reason: 'connection_refused' });

test('short calls stay on the first connection, bulky ones go to the least loaded', async (t) => {
  const { pool, dials, call, start } = poolFixture();
  start('a:1', call());
  const first = await dials[0]!.up();
  const second = new FakeConnection('a:1');
  pool.add(second.real);
  first.figures.load = 100;
  second.figures.load = 5;
  start('a:1', call());
  start('a:1', call(), true);
  t.deepEqual([first.started.length, second.started.length], [2, 1]);
  second.figures.load = 500;
  start('a:1', call(), true);
  t.is(first.started.length, 3);
});

test('a pool whose connections are all crowded for 50 ms grows in the background, up to maxPool', async (t) => {
  const { pool, clock, dials, failed, wakes, call, start } = poolFixture(2);
  start('a:1', call());
  const first = await dials[0]!.up();
  first.crowded = true;
  pool.crowding(first.real);
  t.is(wakes.at(-1), 50);
  clock.advance(49);
  t.is(pool.wake(49), 50);
  t.is(dials.length, 1);
  clock.advance(1);
  pool.wake(50);
  t.is(dials.length, 2);
  start('a:1', call());
  t.is(first.started.length, 2, 'no call waits for the new one');
  const second = await dials[1]!.up();
  t.deepEqual(pool.connectionsOf('a:1'), [first.real, second.real]);
  second.crowded = true;
  pool.crowding(second.real);
  clock.advance(100);
  pool.wake(clock.now());
  t.is(dials.length, 2, 'maxPool');
  t.deepEqual(failed, []);
});

test('if credit arrives within the 50 ms, or one connection has some, the pool stays as it is', async (t) => {
  const { pool, clock, dials, call, start } = poolFixture();
  start('a:1', call());
  const first = await dials[0]!.up();
  first.crowded = true;
  pool.crowding(first.real);
  clock.advance(30);
  first.crowded = false;
  pool.crowding(first.real);
  clock.advance(30);
  pool.wake(clock.now());
  t.is(dials.length, 1);
  pool.add(new FakeConnection('a:1').real);
  first.crowded = true;
  pool.crowding(first.real);
  clock.advance(60);
  pool.wake(clock.now());
  t.is(dials.length, 1);
});

test('a failed background dial affects no call and is reported', async (t) => {
  const { pool, clock, dials, failed, call, start } = poolFixture();
  start('a:1', call());
  const first = await dials[0]!.up();
  first.crowded = true;
  pool.crowding(first.real);
  clock.advance(50);
  pool.wake(50);
  await dials[1]!.fail(REFUSED);
  t.is(failed.length, 1, 'the observer is notified');
  const next = call();
  start('a:1', next);
  t.is(first.started.at(-1), next);
  for (let i = 0; i < 18; i++) {
    clock.advance(50);
    pool.wake(clock.now());
  }
  t.is(dials.length, 2, 'a peer that is full is not dialed at each turn');
  clock.advance(100);
  pool.wake(clock.now());
  t.is(dials.length, 3);
});
