// Tests of the inbox: queueing, choice of reader, turns between connections, and refusals.

import test from 'ava';
import { TransportError } from '../errors.ts';
import { createManualClock } from '../manual-clock.ts';
import type { CallObserver } from '../session/incoming-calls.ts';
import { Consumer } from './consumer.ts';
import { Reporter } from './records.ts';
import type { IncomingRpc } from './rpc.ts';
import { InboxFixture, inbox, type Name } from './testing/inbox-fixture.ts';

const consume = (fixture: InboxFixture, ...methods: Name[]) =>
  new Consumer(fixture.inbox, methods.length === 0 ? undefined : new Set(methods));
const read = async (consumer: Consumer): Promise<IncomingRpc> =>
  (await consumer.next()).value as IncomingRpc;
const first = (rpc: { readonly request: unknown }) => (rpc.request as Uint8Array)[0];
const byte = (number: number) => new Uint8Array([number]);

test('calls wait until there is a reader, and the first reader gets them in order', async (t) => {
  const { fixture, a } = inbox();
  for (let i = 1; i <= 5; i++) a.send(i % 2 === 0 ? 'tell' : 'ask', byte(i));
  t.is(fixture.inbox.waiting, 5);
  const consumer = consume(fixture);
  const seen: unknown[] = [];
  for (let i = 0; i < 5; i++) seen.push(first(await read(consumer)));
  t.deepEqual(seen, [1, 2, 3, 4, 5]);
  t.is(fixture.inbox.waiting, 0);
  t.is(a.context.usage.held, a.context.usage.working);
});

test('readers take from connections in turn, and from each in order', async (t) => {
  const fixture = new InboxFixture();
  const [a, b, c] = [fixture.connection('a'), fixture.connection('b'), fixture.connection('c')];
  for (let i = 0; i < 4; i++) a.send('ask', byte(10 + i));
  for (let i = 0; i < 2; i++) b.send('ask', byte(20 + i));
  c.send('ask', byte(30));
  const consumer = consume(fixture);
  const seen: unknown[] = [];
  for (let i = 0; i < 7; i++) seen.push(first(await read(consumer)));
  t.deepEqual(seen, [10, 20, 30, 11, 21, 12, 13]);
});

test('a reader that names a method has priority over one that takes all', async (t) => {
  const { fixture, a } = inbox();
  const [all, named] = [consume(fixture), consume(fixture, 'ask')];
  const [any, mine] = [read(all), read(named)];
  a.send('ask', byte(1));
  a.send('other', byte(2));
  t.is(first(await mine), 1);
  t.is(first(await any), 2);
  a.send('ask', byte(3));
  t.is(fixture.inbox.waiting, 1, 'it waits for its own reader, even if another is free');
  t.is(first(await read(named)), 3);
});

test('calls that wait for a reader go to a waiting one when their reader leaves', async (t) => {
  const fixture = new InboxFixture();
  const [all, named] = [consume(fixture), consume(fixture, 'ask')];
  const any = read(all);
  fixture.connection().send('ask', byte(1));
  t.is(fixture.inbox.waiting, 1);
  await named.return();
  t.is(first(await any), 1);
});

test('a long request that waits when all reading stops gives back its credit', (t) => {
  const { fixture, a } = inbox();
  a.send('ask', new Uint8Array(100_000), true);
  t.is(a.credited, 0);
  fixture.inbox.close(new TransportError('unavailable', 'closed'));
  t.is(a.credited, 1);
});

test('calls that wait for a busy reader do not block other methods of the connection', async (t) => {
  const { fixture, a } = inbox();
  const [slow, quick] = [consume(fixture, 'ask'), consume(fixture, 'other')];
  a.send('ask', byte(1));
  const next = read(quick);
  a.send('other', byte(2));
  t.is(first(await next), 2);
  t.is(first(await read(slow)), 1);
});

test('the first reader refuses waiting calls that have no reader', (t) => {
  const { fixture, a } = inbox();
  a.send('other');
  a.send('tell');
  a.send('ask');
  consume(fixture, 'ask');
  t.deepEqual(a.answers, ['other 3 ! unimplemented (unprocessed)']);
  t.deepEqual(fixture.counters, ['refusedCall', 'onewayDropped']);
  t.is(fixture.inbox.waiting, 1);
});

test('a queue that is full by count refuses short requests unprocessed; each connection has its own', (t) => {
  const fixture = new InboxFixture();
  const [a, b] = [fixture.connection('a'), fixture.connection('b')];
  for (let i = 0; i < 101; i++) a.send('ask');
  t.deepEqual(a.answers, ['ask 203 ! resource_exhausted (unprocessed)']);
  t.deepEqual(fixture.counters, ['refusedCall']);
  b.send('ask');
  t.deepEqual(b.answers, []);
});

test('one-way messages and long requests do not count in the queue, because their accounts limit them', (t) => {
  const { a } = inbox();
  for (let i = 0; i < 150; i++) a.send('tell');
  for (let i = 0; i < 150; i++) a.send('ask', new Uint8Array(5_000), true);
  a.send('ask');
  t.deepEqual(a.answers, []);
  t.deepEqual([a.channel.queued, a.channel.queuedBytes], [1, 65]);
});

test('a one-way message returns its account when its reader leaves', async (t) => {
  const { fixture, a } = inbox();
  const tell = a.send('tell');
  const consumer = consume(fixture);
  await read(consumer);
  t.truthy(tell.account);
  await consumer.return();
  t.is(tell.account, undefined);
});

test('an observer that ends the iteration when a one-way ends also ends the read in progress', async (t) => {
  const { fixture, a } = inbox();
  const tell = a.send('tell');
  const consumer = consume(fixture);
  await read(consumer);
  tell.observer = { done: () => void consumer.return() } as CallObserver;
  const result = await Promise.race([consumer.next(), new Promise(setImmediate)]);
  t.deepEqual(result, { done: true, value: undefined });
});

test('a call whose reader leaves in a rule or an observer is refused or dropped', async (t) => {
  for (const name of ['ask', 'tell'] as const)
    for (const [place, isWaiting] of [
      ['allow', true],
      ['allow', false],
      ['observer', true],
      ['observer', false],
    ] as const) {
      const leave = () => consumer.return() !== undefined;
      const fixture = new InboxFixture(place === 'allow' ? leave : undefined);
      const clock = createManualClock();
      const observer = place === 'allow' ? {} : { handlerStarted: leave };
      const { watch } = new Reporter(observer, undefined, clock, clock, () => false);
      Object.assign(fixture.inbox.host.reporter, { watch });
      const consumer = consume(fixture);
      const a = fixture.connection();
      if (isWaiting) a.send(name);
      const next = consumer.next();
      if (!isWaiting) a.send(name);
      t.deepEqual(await next, { done: true, value: undefined });
      t.deepEqual(a.answers, name === 'tell' ? [] : ['ask 3 ! unimplemented (unprocessed)']);
      t.deepEqual(fixture.counters, name === 'tell' ? ['onewayDropped'] : []);
      t.false(consumer.feeding);
    }
});

test('a request costs work units and flood points for each issue that its schema reports', (t) => {
  const { fixture, a } = inbox();
  const consumer = consume(fixture);
  void consumer.next();
  const spent = (values: number) => {
    const { units } = a.context;
    a.send('many', new TextEncoder().encode(JSON.stringify([Array(values).fill('')])));
    return units - a.context.units;
  };
  const [one, two] = [spent(1), spent(1_000)];
  t.true(one > 256 && one < 300, `${one}`);
  t.true(two > 1_000 * 2 * 16, `${two}`);
  spent(14_000);
  t.true(a.context.abused(0));
  spent(14_000);
  t.false(a.context.abused(0));
  t.deepEqual(
    new Set(a.answers.map((answer) => answer.slice(answer.indexOf('!')))),
    new Set(['! invalid_argument (unprocessed)']),
  );
  void consumer.return?.();
});

test('a one-way message that its codec refuses returns its account', (t) => {
  const { fixture, a } = inbox();
  void consume(fixture).next();
  const shout = a.send('shout', new TextEncoder().encode('{"n":"x"}'));
  t.is(shout.account, undefined);
  t.deepEqual(fixture.counters, ['onewayDropped']);
});

test('a call whose caller is gone leaves the queue', async (t) => {
  const { fixture, a } = inbox();
  const [gone] = [a.send('ask', byte(1)), a.send('ask', byte(2))];
  fixture.inbox.remove(gone);
  fixture.inbox.remove(gone);
  t.is(fixture.inbox.waiting, 1);
  t.is(first(await read(consume(fixture))), 2);
  t.deepEqual([a.channel.queued, a.channel.queuedBytes], [0, 0]);
  t.is(a.context.usage.held, a.context.usage.working);
});

test('while the answers of a connection are blocked its calls are not dispatched, but those of others are', async (t) => {
  const fixture = new InboxFixture();
  const [a, b] = [fixture.connection('a'), fixture.connection('b')];
  a.jammed = true;
  const consumer = consume(fixture);
  const reads = [read(consumer), read(consumer)];
  a.send('ask', byte(1));
  b.send('ask', byte(2));
  t.is(first((await reads[0])!), 2);
  t.is(fixture.inbox.waiting, 1);
  a.jammed = false;
  fixture.inbox.feedAll();
  t.is(first((await reads[1])!), 1);
});

test('a closed inbox refuses waiting calls and ends its readers', async (t) => {
  const { fixture, a } = inbox();
  const consumer = consume(fixture, 'ask');
  a.send('ask');
  const senders = new InboxFixture();
  senders.connection().send('tell');
  senders.inbox.close(new TransportError('unavailable', 'closed'));
  t.deepEqual(senders.counters, ['onewayDropped']);
  fixture.inbox.close(new TransportError('unavailable', 'closed'));
  t.deepEqual(a.answers, ['ask 3 ! unavailable (unprocessed)']);
  t.is((await consumer.next()).done, true);
  t.is(a.context.usage.held, 0);
  t.is((await consume(fixture).next()).done, true);
});

test('leaving a loop returns the consumer', async (t) => {
  const { fixture, a } = inbox();
  a.send('ask', byte(1));
  a.send('ask', byte(2));
  for await (const rpc of consume(fixture)) {
    t.is(first(rpc), 1);
    break;
  }
  t.is(fixture.inbox.waiting, 1);
  t.is(first(await read(consume(fixture))), 2);
});
