// Tests of the connection pool: shared dials, waiting calls and failures.

import test from 'ava';
import { TransportError } from '../errors.ts';
import { MemoryUsage, UnfinishedMessage } from '../session/memory.ts';
import { type FakeConnection, poolFixture, turn } from './testing/pool-fixture.ts';

const REFUSED = new TransportError('unavailable', 'refused', { reason: 'connection_refused' });

test('a target with an id differs from one without', (t) => {
  const { dials, call, start } = poolFixture();
  const id = 'ab'.repeat(32);
  start('a:1', call());
  start(`${id}@a:1`, call());
  t.deepEqual(
    dials.map(({ address, nodeId }) => [address, nodeId]),
    [
      ['a:1', undefined],
      ['a:1', id],
    ],
  );
});

test('an invalid target fails with invalid_argument and leaves nothing behind', async (t) => {
  const { pool, dials, call, start } = poolFixture();
  for (const wrong of ['', 'x@a:1', 'a\n:1']) {
    const refused = call();
    start(wrong, refused);
    t.is((await t.throwsAsync<TransportError>(refused.promise)).code, 'invalid_argument');
    t.throws(() => pool.live(wrong));
  }
  t.is(dials.length, 0);
});

test('when the last waiter leaves, the dial is aborted', async (t) => {
  const { pool, dials, call, start } = poolFixture();
  const controller = new AbortController();
  const [first, second] = [call('ask', { signal: controller.signal }), call()];
  start('a:1', first);
  start('a:1', second);
  controller.abort();
  t.false(dials[0]!.signal.aborted);
  second.signalAborted(new Error('mine'));
  t.true(dials[0]!.signal.aborted);
  await turn();
  t.deepEqual([first.fate.error!.code, second.fate.error!.code], ['cancelled', 'cancelled']);
  t.is(first.fate.error!.sent, false);
  t.deepEqual(pool.dialing, []);
});

test('a call that is made when another one fails with its dial has its own dial', async (t) => {
  const { dials, call, start } = poolFixture();
  const [first, second] = [call(), call()];
  first.failed = () => start('a:1', second);
  start('a:1', first);
  await dials[0]!.fail(REFUSED);
  t.is(dials.length, 2);
  t.is(second.fate.error, undefined);
});

test('a new call right after an aborted dial has its own dial', async (t) => {
  const { dials, call, start } = poolFixture();
  const first = call();
  start('a:1', first);
  first.signalAborted('x');
  const second = call();
  start('a:1', second);
  t.is(dials.length, 2);
  await turn();
  t.is(second.fate.error, undefined, 'the end of the old dial does not affect it');
  const connection = await dials[1]!.up();
  t.deepEqual(connection.started, [second]);
});

test('a call that times out while it waits fails with deadline_exceeded, unsent, and says how far it got', async (t) => {
  const { pool, clock, dials, wakes, call, start } = poolFixture();
  const [soon, later] = [call('ask', { timeout: 50 }), call('ask', { timeout: 80 })];
  start('a:1', soon);
  start('a:1', later);
  t.deepEqual(wakes, [50, 80]);
  clock.advance(50);
  t.is(pool.wake(50), 80);
  await turn();
  t.deepEqual([soon.fate.error!.code, soon.fate.error!.sent], ['deadline_exceeded', false]);
  t.regex(soon.fate.error!.message, /it was waiting for a connection/);
  t.false(dials[0]!.signal.aborted);
  clock.advance(30);
  t.is(pool.wake(80), Number.POSITIVE_INFINITY);
  t.true(dials[0]!.signal.aborted);
});

test('an observer may abort the next waiting call when one ends, and the rest still end in time', async (t) => {
  const { pool, clock, call, start } = poolFixture();
  /** Starts three calls; when the first one ends, the second one is aborted. */
  const three = () => {
    const [soon, later] = [{ timeout: 50 }, { timeout: 200 }];
    const [first, second, third] = [call('ask', soon), call(), call('ask', later)];
    for (const each of [first, second, third]) start('a:1', each);
    const settle = first.settle.bind(first);
    first.settle = (error) => {
      settle(error);
      second.signalAborted('x');
    };
    return third;
  };
  three();
  clock.advance(50);
  t.is(pool.wake(50), 200);
  const third = three();
  pool.failChannel(third.method.channel, new TransportError('shutdown', 'closed'));
  await turn();
  t.is(third.fate.error?.code, 'shutdown');
});

test('a forgotten connection is not used again', async (t) => {
  const { pool, dials, call, start } = poolFixture();
  start('a:1', call());
  const connection = await dials[0]!.up();
  pool.forget(connection.real);
  pool.forget(connection.real);
  t.is(pool.live('a:1'), undefined);
  start('a:1', call());
  t.is(dials.length, 2);
});

test('a connection that is lost while it is being established does not fail a second dial', async (t) => {
  const { pool, dials, call, start } = poolFixture();
  const first = call();
  start('a:1', first);
  const coming = dials[0]!.up();
  const [connection] = pool.connectionsOf('a:1') as unknown as FakeConnection[];
  connection!.over = true;
  pool.forget(connection!.real);
  const second = call();
  start('a:1', second);
  await coming;
  if (dials.length > 1) await dials[1]!.up();
  await turn();
  t.is(connection!.started.length, 1);
  t.true(
    second.fate.error !== undefined || dials.length === 2,
    'it gets the error, or uses the next one',
  );
  t.is(second.fate.error?.sent ?? false, false);
});

test('a dial whose connection is already lost does not remove the next dial of its target', async (t) => {
  const { pool, clock, dials, call, start } = poolFixture();
  start('a:1', call());
  const coming = dials[0]!.up();
  const [connection] = pool.connectionsOf('a:1') as unknown as FakeConnection[];
  connection!.over = true;
  pool.forget(connection!.real);
  const second = call('ask', { timeout: 50 });
  start('a:1', second);
  await coming;
  t.deepEqual(pool.dialing, ['a:1']);
  clock.advance(50);
  pool.wake(50);
  await turn();
  t.is(second.fate.error?.code, 'deadline_exceeded');
});

test('cancel() gives up only the dials to one target', async (t) => {
  const { pool, dials, call, start } = poolFixture();
  const [a, b] = [call(), call()];
  start('a:1', a);
  start('b:1', b);
  pool.cancel('A:1', new TransportError('unavailable', 'disconnected', { reason: 'disconnected' }));
  await turn();
  t.is(a.fate.error!.reason, 'disconnected');
  t.is(b.fate.error, undefined);
  t.is(dials.map(({ signal }) => signal.aborted).join(), 'true,false');
  pool.cancel('nobody:1', REFUSED);
});

test('a protocol that closes removes its calls from the queue, and the dial if no other call waits', async (t) => {
  const { pool, dials, call, start } = poolFixture();
  const [mine, other] = [call('ask', { channel: 0x21 }), call()];
  start('a:1', mine);
  start('a:1', other);
  pool.failChannel(0x21, new TransportError('shutdown', 'closed'));
  await turn();
  t.is(mine.fate.error!.code, 'shutdown');
  t.is(other.fate.error, undefined);
  t.false(dials[0]!.signal.aborted);
  pool.failChannel(0x20, new TransportError('shutdown', 'closed'));
  t.true(dials[0]!.signal.aborted);
});

test('messages that wait for a dial count in the gauge until they are sent, fail or are given up; those above the limit are refused', async (t) => {
  const { dials, memory, call, start } = poolFixture(3, 200);
  const controller = new AbortController();
  const [first, second, third] = [call('ask', { signal: controller.signal }), call(), call()];
  for (const each of [first, second, third]) start('a:1', each);
  t.is(memory.used, first.cost * 3);
  const over = call();
  start('b:1', over);
  await turn();
  t.like(over.fate.error, { code: 'resource_exhausted', sent: false });
  t.is(dials.length, 1, 'no dial is made for it');
  controller.abort();
  t.is(memory.used, first.cost * 2);
  await dials[0]!.fail(REFUSED);
  t.is(memory.used, 0);
});

test('messages that wait for a dial displace unfinished messages of peers', (t) => {
  const { dials, memory, call, start } = poolFixture(3, 200);
  const refused: string[] = [];
  const peer = (name: string, bytes: number) => {
    const usage = new MemoryUsage(memory, {
      now: 0,
      terms: { packet: 64 },
      limits: { total: { calls: 10, bytes: 1_000 } },
      freeMemory: () => {},
      breakOff: () => {},
    });
    const crowdOut = () => {
      refused.push(name);
      usage.ends(message, bytes, 0);
    };
    const message = new UnfinishedMessage({ crowdOut, stopped: () => {} }, bytes);
    usage.begins(message, bytes, 0);
  };
  peer('the fastest', 100);
  peer('another', 90);
  const waiting = call();
  start('a:1', waiting);
  t.is(dials.length, 1);
  t.is(waiting.fate.error, undefined);
  t.deepEqual(refused, ['another']);
  t.is(memory.used, 100 + waiting.cost);
});

test('10,000 targets with failed dials leave nothing behind', async (t) => {
  const { pool, dials, call, start } = poolFixture();
  for (let i = 0; i < 10_000; i++) {
    start(`h${i}:1`, call());
    dials[i]!.fail(REFUSED);
  }
  await turn();
  t.deepEqual(pool.dialing, []);
  t.is(Reflect.get(pool, 'entries').size, 0);
  t.true(Reflect.get(pool, 'keys').size <= 4_096);
});

test('all spellings of a target are one target', async (t) => {
  const { pool, dials, call, start } = poolFixture();
  for (const spelling of ['Host:1', 'host:1', 'tcp://HOST:1', ' host:1 ', 'tcp://host:1/'])
    start(spelling, call());
  t.is(dials.length, 1);
  const connection = await dials[0]!.up();
  t.is(connection.started.length, 5);
  t.is(pool.live('TCP://host:1'), connection.real);
  t.is(pool.live('host:2'), undefined);
});
