// Tests of the balancer over transports in memory.

import {
  bytes,
  createTransport,
  defineProtocol,
  type ResolvedAddress,
  type Resolver,
  serve,
  TransportError,
} from '@trunkline/transport-core';
import type { ResolutionObserver } from '@trunkline/transport-core/backend';
import { createManualClock, seededRandom } from '@trunkline/transport-core/testing';
import { inmem } from '@trunkline/transport-inmem';
import test, { type ExecutionContext } from 'ava';
import { createRetries } from '../retries/retries.ts';
import { createStaticResolver } from '../static-resolver.ts';
import { FakeServer, fakeCall, reset, settled, unsent } from '../testing/fake-call.ts';
import { type BalancerEvent, type BalancerOptions, createBalancer } from './balancer.ts';
import { pickFirst } from './pick-first.ts';
import { roundRobin } from './round-robin.ts';

const orders = defineProtocol({
  name: 'orders',
  methods: {
    whoami: { id: 1, request: bytes, response: bytes },
    count: { id: 2, request: bytes, download: bytes },
  },
});
const EMPTY = new Uint8Array();
const text = (value: string) => new TextEncoder().encode(value);

/** Starts servers with these names in memory, and a client that balances over them. */
async function setUp(
  t: ExecutionContext,
  names: readonly string[],
  options: Partial<BalancerOptions> = {},
) {
  const backends = [inmem()];
  const start = async (name: string) => {
    const server = createTransport(`inmem://${name}`, { protocol: orders, backends });
    serve(server, {
      whoami: () => text(name),
      async *count() {
        yield text(name);
        yield text(name);
      },
    });
    await server.listen();
    t.teardown(() => server.close());
    return server;
  };
  const servers = new Map<string, Awaited<ReturnType<typeof start>>>();
  for (const name of names) servers.set(name, await start(name));
  const resolver = createStaticResolver({ orders: names.map((name) => `inmem://${name}`) });
  const events: BalancerEvent[] = [];
  const balancer = createBalancer({
    resolve: resolver,
    policy: roundRobin(),
    random: seededRandom(1),
    onEvent: (event) => events.push(event),
    ...options,
  });
  const retries = createRetries();
  const client = createTransport({
    protocol: orders,
    backends,
    interceptors: { client: [retries.interceptor, balancer.interceptor] },
  });
  t.teardown(() => client.close());
  t.teardown(() => balancer.close());
  const ask = async () => new TextDecoder().decode(await client.send('orders', 'whoami', EMPTY));
  const askOften = async (times: number) => {
    const counts: Record<string, number> = {};
    for (let n = 0; n < times; n++) {
      const name = await ask();
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  };
  return { servers, start, resolver, balancer, client, ask, askOften, events, retries };
}

test('calls to a name are spread over its addresses, other targets are dialed', async (t) => {
  const { askOften, client, balancer } = await setUp(t, ['a', 'b', 'c']);
  t.deepEqual(await askOften(9), { a: 3, b: 3, c: 3 });
  const answer = await client.send('inmem://b', 'whoami', EMPTY);
  t.is(new TextDecoder().decode(answer), 'b');
  const [name] = balancer.snapshot().names;
  t.is(name!.name, 'orders');
  t.deepEqual(
    name!.addresses.map(({ address, calls, inFlight, status }) => [
      address,
      calls,
      inFlight,
      status,
    ]),
    [
      ['inmem://a', 3, 0, 'up'],
      ['inmem://b', 3, 0, 'up'],
      ['inmem://c', 3, 0, 'up'],
    ],
  );
});

test('a removed address gets no new calls, and an added one gets its share', async (t) => {
  const { askOften, resolver, start, events } = await setUp(t, ['a', 'b']);
  await askOften(2);
  await start('c');
  resolver.set('orders', ['inmem://b', 'inmem://c']);
  t.deepEqual(await askOften(6), { b: 3, c: 3 });
  t.deepEqual(
    events.map(({ type, address }) => `${type} ${address}`),
    ['added inmem://a', 'added inmem://b', 'removed inmem://a', 'added inmem://c'],
  );
});

test('a call to a server that is gone turns to another one', async (t) => {
  const { askOften, servers, balancer, retries, events } = await setUp(t, ['a', 'b', 'c']);
  await askOften(3);
  await servers.get('b')!.close();
  t.deepEqual(await askOften(12), { a: 6, c: 6 });
  t.is(retries.snapshot().retries, 1, 'one call found out that b is gone');
  t.is(balancer.snapshot().names[0]!.addresses[1]!.status, 'down');
  t.deepEqual(events.at(-1), { type: 'down', name: 'orders', address: 'inmem://b' });
});

test('higher priorities are used only while no lower one takes calls', async (t) => {
  const { askOften, servers, resolver } = await setUp(t, ['a', 'b']);
  resolver.set('orders', [{ address: 'inmem://a', priority: 1 }, { address: 'inmem://b' }]);
  t.deepEqual(await askOften(4), { b: 4 });
  await servers.get('b')!.close();
  t.deepEqual(await askOften(4), { a: 4 });
});

test('downloads count until their end', async (t) => {
  const { client, balancer } = await setUp(t, ['a']);
  const items = await client.send('orders', 'count', EMPTY);
  const state = () => balancer.snapshot().names[0]!.addresses[0]!;
  t.is(state().inFlight, 1);
  for await (const item of items) t.is(new TextDecoder().decode(item), 'a');
  t.like(state(), { inFlight: 0, calls: 1, failures: 0 });
  for await (const _ of await client.send('orders', 'count', EMPTY)) break;
  t.is(state().inFlight, 0);
});

test('connections are held on request, and released with their addresses', async (t) => {
  const { client, balancer, resolver, servers } = await setUp(t, ['a', 'b']);
  const release = balancer.hold(client, 'orders');
  const connected = () =>
    client
      .remotes()
      .map(({ addr }) => addr)
      .sort();
  for await (const { type } of client.connections())
    if (type === 'up' && client.remotes().length === 2) break;
  t.is(connected().length, 2);
  resolver.set('orders', ['inmem://b']);
  t.is(client.snapshot().connections.length, 2, 'a connection that is released may stay idle');
  release();
  t.throws(() => balancer.hold(client, 'unknown'), {
    instanceOf: TypeError,
    message: "hold: the resolver of this balancer does not know the name 'unknown'",
  });
  t.is(servers.size, 2);
});

/** A resolver whose reports the test makes. */
function playedResolver() {
  const watched: { target: string; observer: ResolutionObserver; isStopped: boolean }[] = [];
  const resolver: Resolver = {
    handles: (target) => !target.includes(':'),
    watch(target, observer) {
      const watch = { target, observer, isStopped: false };
      watched.push(watch);
      return () => {
        watch.isStopped = true;
      };
    },
  };
  return { resolver, watched };
}

test('calls wait for the first addresses, within their deadline and a bound', async (t) => {
  const { resolver, watched } = playedResolver();
  const server = new FakeServer();
  const { interceptor } = createBalancer({
    resolve: resolver,
    clock: server.clock,
    limits: { waiting: 3 },
  });
  const send = (given = {}) => server.send(interceptor, fakeCall(given));
  const controller = new AbortController();
  const patient = send();
  const late = send({ deadline: server.clock.now() + 50 });
  const canceled = send({ signal: controller.signal });
  const refused = send();
  await t.throwsAsync(refused, {
    code: 'resource_exhausted',
    message: /orders\/get to 'orders': 3 calls already wait .* \(limits\.waiting\)/,
  });
  controller.abort();
  await t.throwsAsync(canceled, { code: 'cancelled' });
  await server.advance(50);
  const error = await t.throwsAsync<TransportError>(late, { code: 'deadline_exceeded' });
  t.false(error.sent);
  t.is(server.attempts.length, 0);
  watched[0]!.observer.resolved([{ address: 'a:1' }]);
  await settled();
  t.is(server.last.target, 'a:1');
  await server.last.answer('done');
  t.is(await patient, 'done');
  t.is(server.clock.timers, 0);
});

test('calls fail while a name cannot be resolved or has no address', async (t) => {
  const { resolver, watched } = playedResolver();
  const server = new FakeServer();
  const { interceptor } = createBalancer({ resolve: resolver, clock: server.clock });
  const send = () => server.send(interceptor, fakeCall());
  const first = send();
  watched[0]!.observer.failed(
    new TransportError('unavailable', 'no such host', { reason: 'host_not_found' }),
  );
  for (const call of [first, send()])
    await t.throwsAsync(call, {
      code: 'unavailable',
      message: "orders/get to 'orders': no such host",
    });
  const list: ResolvedAddress[] = [];
  watched[0]!.observer.resolved(list);
  const error = await t.throwsAsync<TransportError>(send(), { code: 'unavailable' });
  t.is(error.message, "orders/get to 'orders': 'orders' has no address now; is it deployed?");
  t.false(error.sent);
  watched[0]!.observer.resolved([{ address: 'a:1' }]);
  watched[0]!.observer.failed(new TransportError('unavailable', 'the name server is gone'));
  const call = send();
  await server.last.answer('done');
  t.is(await call, 'done', 'the addresses stay valid');
});

test('if no address takes calls, all are used', async (t) => {
  const { resolver, watched } = playedResolver();
  const server = new FakeServer();
  const balancer = createBalancer({
    resolve: resolver,
    policy: pickFirst(),
    clock: server.clock,
    random: () => 0.5,
  });
  const send = () => server.send(balancer.interceptor, fakeCall());
  void send();
  watched[0]!.observer.resolved([{ address: 'a:1' }, { address: 'b:1' }]);
  await settled();
  await server.last.fail(unsent());
  void send();
  t.is(server.last.target, 'b:1');
  await server.last.fail(unsent());
  void send();
  t.is(server.attempts.length, 3, 'a call that may fail is better than one that surely does');
  t.is(server.last.target, 'b:1');
});

test('a call whose name loses all addresses is repeated with a back-off', async (t) => {
  const { resolver, watched } = playedResolver();
  const server = new FakeServer();
  const { clock } = server;
  const balancer = createBalancer({ resolve: resolver, clock });
  const methods = { '*': { idempotent: true, attempts: 4 } };
  const retries = createRetries({ clock, methods });
  const call = fakeCall();
  const result = server.send((next) => retries.interceptor(balancer.interceptor(next)), call);
  watched[0]!.observer.resolved([{ address: 'a:1' }, { address: 'b:1' }]);
  await settled();
  await server.last.fail(unsent());
  await server.last.fail(reset());
  t.is(server.attempts.length, 2, 'each address got an attempt');
  watched[0]!.observer.resolved([]);
  await server.advance(25);
  await server.advance(50);
  await t.throwsAsync(result, { message: /has no address now/ });
  t.is(retries.snapshot().retries, 3);
});

test('a call that never left this end says nothing about its address', async (t) => {
  const server = new FakeServer();
  const resolve = createStaticResolver({ orders: ['a:1'] });
  const balancer = createBalancer({ resolve, clock: server.clock });
  const state = () => balancer.snapshot().names[0]!.addresses[0]!;
  for (const error of [unsent(), new TransportError('internal', 'no codec', { sent: false })]) {
    void server.send(balancer.interceptor, fakeCall());
    await settled();
    await server.last.fail(error);
    await server.advance(1_200);
  }
  t.like(state(), { status: 'probing', calls: 1, latency: undefined });
});

test('names and addresses are bounded', async (t) => {
  const { resolver, watched } = playedResolver();
  const clock = createManualClock();
  const server = new FakeServer();
  const balancer = createBalancer({ resolve: resolver, clock, limits: { names: 2, addresses: 3 } });
  for (const target of ['x', 'y', 'z']) {
    void server.send(balancer.interceptor, fakeCall({ target }));
    const list = Array.from({ length: 5 }, (_, n) => ({ address: `${target}${n}:1` }));
    watched.at(-1)!.observer.resolved([...list, list[0]!]);
    await settled();
  }
  t.deepEqual(
    balancer.snapshot().names.map(({ name, addresses }) => [name, addresses.length]),
    [
      ['y', 3],
      ['z', 3],
    ],
  );
  t.deepEqual(
    watched.map(({ isStopped }) => isStopped),
    [true, false, false],
  );
  const mixed = ['z5:1', 'z6:1', 'z0:1', 'z1:1', 'z5:1'].map((address) => ({ address }));
  watched.at(-1)!.observer.resolved(mixed);
  t.deepEqual(
    balancer.snapshot().names[1]!.addresses.map(({ address }) => address),
    ['z5:1', 'z6:1', 'z0:1'],
    'known addresses count, too',
  );
  balancer.close();
  t.true(watched.every(({ isStopped }) => isStopped));
  await t.throwsAsync(server.send(balancer.interceptor, fakeCall()), { code: 'shutdown' });
});

test('invalid options of a balancer throw TypeErrors that name them', (t) => {
  t.throws(() => createBalancer({} as never), { message: /createBalancer: resolve: is required/ });
  t.throws(() => createBalancer({ resolve: createStaticResolver(), slowStart: -1 }), {
    message: /slowStart: must be a number from 0/,
  });
  t.throws(
    () => createBalancer({ resolve: createStaticResolver(), outliers: { failurePercent: 101 } }),
    { message: /outliers\.failurePercent: must be a number from 0 to 100, got 101/ },
  );
});

test('a call leaves the count of its address if it throws, or if its signal is aborted', async (t) => {
  const server = new FakeServer();
  const resolve = createStaticResolver({ orders: ['a:1'] });
  const balancer = createBalancer({ resolve, clock: server.clock });
  const { interceptor } = balancer;
  const inFlight = () => balancer.snapshot().names[0]!.addresses[0]!.inFlight;
  const send = interceptor(() => {
    throw new TypeError('the name has no port');
  });
  await t.throwsAsync(async () => send(fakeCall()), { message: 'the name has no port' });
  t.is(inFlight(), 0);
  const controller = new AbortController();
  const unread = server.send(
    interceptor,
    fakeCall({ kind: 'download', signal: controller.signal }),
  );
  await settled();
  await server.last.answer((async function* () {})());
  const items = (await unread) as AsyncIterableIterator<unknown>;
  t.is(inFlight(), 1);
  controller.abort();
  t.is(inFlight(), 0);
  await items.next();
  t.is(inFlight(), 0);
});

test('another attempt of one call does not move the other calls of pick-first', async (t) => {
  const server = new FakeServer();
  const resolve = createStaticResolver({ orders: ['a:1', 'b:1'] });
  const { interceptor } = createBalancer({ resolve, policy: pickFirst(), clock: server.clock });
  const call = fakeCall();
  const targets: unknown[] = [];
  for (const each of [call, call, fakeCall()]) {
    void server.send(interceptor, Object.assign(each, { target: 'orders' }));
    await settled();
    targets.push(server.last.target);
  }
  t.deepEqual(targets, ['a:1', 'b:1', 'a:1']);
});

test('the resolver learns of addresses that fail', async (t) => {
  const { resolver, watched } = playedResolver();
  const asked: string[] = [];
  const server = new FakeServer();
  const { interceptor } = createBalancer({
    resolve: { ...resolver, resolveNow: (target) => void asked.push(target) },
    clock: server.clock,
  });
  for (const error of [unsent(), reset(), new TransportError('internal', 'a bug')]) {
    void server.send(interceptor, fakeCall());
    watched[0]!.observer.resolved([{ address: 'a:1' }]);
    await settled();
    await server.last.fail(error);
  }
  t.deepEqual(asked, ['orders', 'orders']);
});

test('an address is held until the last hold of its name is released', async (t) => {
  const balancer = createBalancer({ resolve: createStaticResolver({ orders: ['a:1'] }) });
  const held = new Set<() => void>();
  const hold = () => {
    const release = () => void held.delete(release);
    held.add(release);
    return release;
  };
  const transport = { protocol: orders, hold } as never;
  const first = balancer.hold(transport, 'orders');
  const second = balancer.hold(transport, 'orders');
  await settled();
  first();
  first();
  t.true(held.size > 0);
  second();
  t.is(held.size, 0);
});

test('the second call of a function that stops a watch ends no later watch', (t) => {
  const resolver = createStaticResolver({ orders: [] });
  const lists: (readonly ResolvedAddress[])[] = [];
  const watch = () =>
    resolver.watch('orders', { resolved: (list) => void lists.push(list), failed() {} });
  const stop = watch();
  stop();
  watch();
  stop();
  resolver.set('orders', ['a:1']);
  t.deepEqual(lists, [[{ address: 'a:1' }]]);
});

test('an error of resolveNow does not change the result of a call', async (t) => {
  const { resolver, watched } = playedResolver();
  const server = new FakeServer();
  const resolveNow = () => {
    throw new Error('the name server is gone');
  };
  const { interceptor } = createBalancer({
    resolve: { ...resolver, resolveNow },
    clock: server.clock,
  });
  for (const kind of ['unary', 'download'] as const) {
    const call = server.send(interceptor, fakeCall({ kind }));
    watched[0]!.observer.resolved([{ address: 'a:1' }]);
    await settled();
    await server.last.fail(reset());
    await t.throwsAsync(call, { message: 'the connection was reset' });
  }
});
