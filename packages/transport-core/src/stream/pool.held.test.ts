// Tests of targets that are held: the pool keeps one connection to each, with a back-off.

import test from 'ava';
import { type ErrorCode, TransportError } from '../errors.ts';
import { FakeConnection, poolFixture, turn } from './testing/pool-fixture.ts';

const REFUSED = new TransportError('unavailable', 'refused', { reason: 'connection_refused' });

/** Returns a pool that is woken whenever it is due. */
function heldFixture() {
  const fixture = poolFixture();
  const { clock, pool, wakes } = fixture;
  const advance = (milliseconds: number) => {
    clock.advance(milliseconds);
    if (wakes.some((time) => time <= clock.now())) pool.wake(clock.now());
  };
  /** Returns the number of dials so far, after that time. */
  const dialsAfter = (milliseconds: number) => {
    advance(milliseconds);
    return fixture.dials.length;
  };
  return { ...fixture, advance, dialsAfter };
}

test('a held target is dialed at once, and again as soon as its connection is lost', async (t) => {
  const { pool, dials, advance, dialsAfter } = heldFixture();
  pool.hold('a:1', { stopOn: [] });
  t.is(dials.length, 1);
  const first = await dials[0]!.up();
  t.is(first.holds, 1);
  advance(1_000);
  pool.forget(first.real);
  t.is(first.holds, 0);
  t.is(dialsAfter(0), 2);
  t.is((await dials[1]!.up()).holds, 1);
});

test('the waits after failed dials double from 100 ms to 30 s', async (t) => {
  const { pool, dials, advance, dialsAfter } = heldFixture();
  pool.hold('a:1', { stopOn: [] });
  const waits = [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000];
  for (const [i, wait] of waits.entries()) {
    await dials[i]!.fail(REFUSED);
    t.is(dialsAfter(wait - 1), i + 1);
    t.is(dialsAfter(1), i + 2);
  }
  const late = await dials.at(-1)!.up();
  advance(30_001);
  pool.forget(late.real);
  t.is(dialsAfter(0), waits.length + 2);
  await dials.at(-1)!.fail(REFUSED);
  t.is(
    dialsAfter(100),
    waits.length + 3,
    'the back-off starts again after a connection that lasted',
  );
});

test('a connection that is lost soon, or before its dial resolves, is replaced with the back-off', async (t) => {
  for (const name of ['a:1', 'app']) {
    const { pool, dials, dialsAfter } = heldFixture();
    pool.hold(name, { stopOn: [] });
    const dead = new FakeConnection('b:2');
    dead.over = true;
    if (name === 'app') await dials[0]!.find(dead);
    else pool.forget((await dials[0]!.up()).real);
    t.is(dead.holds, 0);
    t.is(dialsAfter(99), 1);
    t.is(dialsAfter(1), 2);
  }
});

test('a held target uses a live connection, and another one if that is lost', async (t) => {
  const { pool, dials, call, start, dialsAfter } = heldFixture();
  start('a:1', call());
  const live = await dials[0]!.up();
  pool.hold('a:1', { stopOn: [] });
  const other = new FakeConnection('a:1');
  pool.add(other.real);
  t.deepEqual([dials.length, live.holds, other.holds], [1, 1, 0]);
  pool.forget(live.real);
  t.deepEqual([live.holds, other.holds], [0, 1]);
  t.is(dialsAfter(1_000), 1);
});

test('a held target uses a connection to the node that its name resolved to', async (t) => {
  const { pool, dials, advance, dialsAfter } = heldFixture();
  const release = pool.hold('app', { stopOn: [] });
  const [first, second] = [new FakeConnection('b:2'), new FakeConnection('c:3')];
  await dials[0]!.find(first);
  t.is(first.holds, 1);
  advance(1_000);
  await first.end();
  t.is(first.holds, 0);
  t.is(dialsAfter(0), 2);
  await dials[1]!.find(second);
  t.is(second.holds, 1);
  release();
  t.is(second.holds, 0);
  await second.end();
  t.is(dialsAfter(60_000), 2);
});

test('a held node that is connected already is not dialed', async (t) => {
  const { pool, dials, known, advance, dialsAfter } = heldFixture();
  const target = `${'ab'.repeat(32)}@a:1`;
  const link = new FakeConnection('b:2');
  known.set(target, link);
  pool.hold(target, { stopOn: [] });
  advance(1_000);
  t.deepEqual([dials.length, link.holds], [0, 1]);
  known.clear();
  await link.end();
  t.is(dialsAfter(0), 1);
});

test('after the last release nothing is held or dialed', async (t) => {
  const { pool, dials, dialsAfter } = heldFixture();
  const [one, two] = [pool.hold('a:1', { stopOn: [] }), pool.hold('a:1', { stopOn: [] })];
  const connection = await dials[0]!.up();
  one();
  one();
  t.is(connection.holds, 1);
  two();
  t.is(connection.holds, 0);
  pool.forget(connection.real);
  t.is(dialsAfter(60_000), 1);
  const again = pool.hold('a:1', { stopOn: [] });
  t.is(dials.length, 2);
  again();
  t.true(dials[1]!.signal.aborted);
  await turn();
  t.is(dialsAfter(60_000), 2);
});

test('a call to a held target that is being dialed again waits for that dial', async (t) => {
  const { pool, dials, call, start, dialsAfter } = heldFixture();
  pool.hold('a:1', { stopOn: [] });
  await dials[0]!.fail(REFUSED);
  const waiting = call();
  start('a:1', waiting);
  t.is(dials.length, 2, 'a call dials at once, without the back-off');
  const connection = await dials[1]!.up();
  t.deepEqual(connection.started, [waiting]);
  t.is(connection.holds, 1);
  t.is(dialsAfter(60_000), 2);
});

test('a closed pool dials no held target', async (t) => {
  const { pool, dialsAfter } = heldFixture();
  const release = pool.hold('a:1', { stopOn: [] });
  pool.close(new TransportError('shutdown', 'closed'));
  await turn();
  t.is(dialsAfter(60_000), 1);
  release();
});

test('a dial that fails with a code of stopOn ends those holds, and the last one ends the dials', async (t) => {
  const { pool, dials, retries, advance, dialsAfter } = heldFixture();
  const ended: string[] = [];
  const hold = (name: string, ...stopOn: ErrorCode[]) =>
    pool.hold('a:1', { stopOn, ended: () => ended.push(name) });
  const release = hold('one', 'unauthenticated');
  hold('two', 'unauthenticated', 'unavailable');
  await dials[0]!.fail(REFUSED);
  t.deepEqual([ended, retries], [['two'], [100]]);
  advance(100);
  await dials[1]!.fail(new TransportError('unauthenticated', 'sign in'));
  t.deepEqual(
    [ended, retries],
    [
      ['two', 'one'],
      [100, undefined],
    ],
  );
  t.is(dialsAfter(60_000), 2);
  hold('three', 'unauthenticated');
  release(); // has ended already
  await dials[2]!.fail(REFUSED);
  t.deepEqual([ended, retries[2]], [['two', 'one'], 100]);
  advance(100);
  t.is((await dials[3]!.up()).holds, 1);
});

test('a target that names no address, or is malformed, cannot be held', (t) => {
  const { pool, dials } = heldFixture();
  t.throws(() => pool.hold(`node:${'ab'.repeat(32)}`, { stopOn: [] }), { instanceOf: TypeError });
  t.throws(() => pool.hold('', { stopOn: [] }), { instanceOf: TransportError });
  t.is(dials.length, 0);
});
