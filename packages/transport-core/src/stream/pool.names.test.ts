// Tests of targets that are names: the pool follows the changes to their addresses.

import test from 'ava';
import { TransportError } from '../errors.ts';
import type { ResolutionObserver, Resolver } from '../resolver.ts';
import { FakeConnection, poolFixture, turn } from './testing/pool-fixture.ts';

const REFUSED = new TransportError('unavailable', 'refused', { reason: 'connection_refused' });
const [ADA, BOB] = ['ab'.repeat(32), 'cd'.repeat(32)];

/** A pool with a resolver of 'name:…' that a test controls. */
function namedFixture() {
  const observers = new Map<string, ResolutionObserver>();
  const asked: string[] = [];
  const resolver: Resolver = {
    handles: (target) => target.startsWith('name:'),
    watch: (target, observer) => {
      observers.set(target, observer);
      return () => {
        if (observers.get(target) === observer) observers.delete(target);
      };
    },
    resolveNow: (target) => void asked.push(target),
  };
  const fixture = poolFixture(3, Number.POSITIVE_INFINITY, resolver);
  const list = (name: string, ...addresses: string[]) =>
    observers.get(name)!.resolved(addresses.map((address) => ({ address })));
  return { ...fixture, observers, asked, list };
}

test('a name is watched while the pool has an entry for it', async (t) => {
  const { pool, dials, observers, call, start } = namedFixture();
  start('name:a', call());
  start('b:1', call());
  t.deepEqual([...observers.keys()], ['name:a']);
  const connection = await dials[0]!.up('x:1');
  t.is(observers.size, 1);
  pool.forget(connection.real);
  t.is(observers.size, 0);
  start('name:a', call());
  await dials[2]!.fail(REFUSED);
  t.is(observers.size, 0);
  start('name:a', call());
  t.is(observers.size, 1);
  pool.close(new TransportError('shutdown', 'closed'));
  t.is(observers.size, 0);
});

test('a dial that reached its node when the pool closes is not followed by another', async (t) => {
  const { pool, dials, list } = namedFixture();
  pool.hold('name:a', { stopOn: [] });
  list('name:a', `node:${ADA}`, 'x:1');
  const connection = new FakeConnection(`node:${ADA}`);
  const found = dials[0]!.find(connection, `node:${ADA}`);
  pool.close(new TransportError('shutdown', 'closed'));
  connection.over = true;
  await found;
  await turn();
  t.is(dials.length, 1);
});

test('when the list no longer has the address of a connection, the connection is retired', async (t) => {
  const { pool, dials, list, retired, observers, call, start } = namedFixture();
  start('name:a', call());
  list('name:a', 'x:1', 'y:1');
  const connection = await dials[0]!.up('x:1');
  list('name:a', 'x:1', 'z:1');
  t.deepEqual(retired, []);
  list('name:a', 'z:1');
  t.deepEqual(retired, [connection]);
  t.is(pool.live('name:a'), undefined);
  t.is(observers.size, 0);
});

test('a connection whose address was removed from the list during its dial is replaced at once', async (t) => {
  const { pool, dials, list, retired, call, start } = namedFixture();
  const waiting = call();
  start('name:a', waiting);
  list('name:a', 'x:1');
  list('name:a', 'y:1');
  const first = await dials[0]!.up('x:1');
  t.deepEqual([retired, first.started], [[first], []]);
  const second = await dials[1]!.up('y:1');
  t.deepEqual(second.started, [waiting]);
  t.is(pool.live('name:a'), second.real);
});

test('a link to a node that was removed from the list during its dial is not used', async (t) => {
  const { dials, list, retired, call, start } = namedFixture();
  const waiting = call();
  start('name:a', waiting);
  list('name:a', `node:${ADA}`);
  list('name:a', `node:${BOB}`);
  const [ada, bob] = [new FakeConnection('a:1'), new FakeConnection('b:1')];
  await dials[0]!.find(ada, `node:${ADA}`);
  await dials[1]!.find(bob, `node:${BOB}`);
  t.deepEqual([ada.started, bob.started, retired], [[], [waiting], []]);
});

test('a held name is dialed at once when its address is no longer listed', async (t) => {
  const { pool, dials, list, retired } = namedFixture();
  const release = pool.hold('name:a', { stopOn: [] });
  list('name:a', 'x:1');
  const connection = await dials[0]!.up('x:1');
  list('name:a', 'y:1');
  t.deepEqual(retired, [connection]);
  t.is(dials.length, 2);
  t.is((await dials[1]!.up('y:1')).holds, 1);
  release();
});

test('a held name whose dial has failed is dialed when a list arrives', async (t) => {
  const { pool, dials, list } = namedFixture();
  const release = pool.hold('name:a', { stopOn: [] });
  await dials[0]!.fail(REFUSED);
  t.is(dials.length, 1);
  list('name:a', 'y:1');
  t.is(dials.length, 2);
  release();
});

test('a lost connection has the resolver look again while the name is still watched', async (t) => {
  const { pool, dials, list, asked } = namedFixture();
  const release = pool.hold('name:a', { stopOn: [] });
  list('name:a', 'x:1');
  const connection = await dials[0]!.up('x:1');
  pool.forget(connection.real);
  t.deepEqual(asked, ['name:a']);
  release();
});

test('a name that leads to a node uses its connection until the node is no longer listed', async (t) => {
  const { pool, dials, list, retired, observers, call, start } = namedFixture();
  const [ada, bob] = [new FakeConnection('a:1'), new FakeConnection('b:1')];
  start('name:a', call());
  list('name:a', `node:${ADA}`);
  await dials[0]!.find(ada, `node:${ADA}`);
  t.is(pool.live('name:a'), ada.real);
  t.is(observers.size, 1, 'it is watched as long as it is used');
  const second = call();
  start('name:a', second);
  t.is(ada.started.at(-1), second);
  list('name:a', `node:${BOB}`);
  t.deepEqual(retired, [], 'the connection of the node stays');
  t.is(pool.live('name:a'), undefined);
  start('name:a', call());
  await dials[1]!.find(bob, `node:${BOB}`);
  t.is(pool.live('name:a'), bob.real);
  bob.over = true;
  pool.forget(bob.real);
  t.is(pool.live('name:a'), undefined);
  t.is(observers.size, 0);
});

test('two names use the connection of one node, and both lose it', async (t) => {
  const { pool, dials, list, observers, call, start } = namedFixture();
  const ada = new FakeConnection('a:1');
  for (const [at, name] of ['name:a', 'name:b'].entries()) {
    start(name, call());
    list(name, `node:${ADA}`);
    await dials[at]!.find(ada, `node:${ADA}`);
  }
  t.is(pool.live('name:a'), ada.real);
  t.is(pool.live('name:b'), ada.real);
  ada.over = true;
  pool.forget(ada.real);
  t.is(observers.size, 0);
  t.is(Reflect.get(pool, 'entries').size, 0);
});

test('a crowded connection of a node has its name dial no further one', async (t) => {
  const { pool, clock, dials, list, call, start } = namedFixture();
  const ada = new FakeConnection('a:1');
  start('name:a', call());
  list('name:a', `node:${ADA}`);
  await dials[0]!.find(ada, `node:${ADA}`);
  ada.crowded = true;
  start('name:a', call(), true);
  clock.advance(50);
  pool.wake(50);
  t.is(dials.length, 2);
  await dials[1]!.find(ada, `node:${ADA}`);
  t.is(pool.connectionsOf('name:a').length, 1);
  clock.advance(50);
  pool.wake(100);
  await turn();
  t.is(dials.length, 2, 'not again before a second has passed');
});

test('a held name is dialed at an address that does not drain', async (t) => {
  const { pool, dials, list, retired, call, start } = namedFixture();
  pool.hold('name:a', { stopOn: [] });
  list('name:a', 'x:1', 'y:1');
  const first = await dials[0]!.up('x:1');
  pool.drains(first.real);
  t.is(pool.live('name:a'), undefined);
  pool.wake(200); // the back-off of a connection that was lost at once
  t.is(dials.length, 2);
  const second = await dials[1]!.up('y:1');
  start('name:a', call());
  t.is(second.started.length, 1);
  pool.drains(second.real);
  t.is(pool.live('name:a'), second.real, 'no address is left that does not drain');
  await first.end();
  pool.drains(second.real);
  t.is(pool.live('name:a'), undefined, 'another server may listen at the first address');
  t.deepEqual(retired, [], 'calls in flight go on');
});
