// Tests of balancers that watch the health of their addresses.

import { bytes, createTransport, defineProtocol, serve } from '@trunkline/transport-core';
import { createManualClock } from '@trunkline/transport-core/testing';
import { inmem } from '@trunkline/transport-inmem';
import test, { type ExecutionContext } from 'ava';
import { drain, type Health, healthProtocol, serveHealth } from '../index.health.ts';
import { createRetries } from '../retries/retries.ts';
import { createStaticResolver } from '../static-resolver.ts';
import { type BalancerEvent, createBalancer } from './balancer.ts';
import { roundRobin } from './round-robin.ts';

const orders = defineProtocol({
  name: 'orders',
  methods: { get: { id: 1, request: bytes, response: bytes } },
});
const ONE = Uint8Array.of(1);
const turn = () => new Promise((resolve) => setImmediate(resolve));

async function setUp(t: ExecutionContext, names: readonly string[]) {
  const backends = [inmem()];
  const served = new Map<string, number>();
  const start = async (name: string, prepare: (health: Health) => void = () => {}) => {
    const server = createTransport(`inmem://${name}`, { protocol: orders, backends });
    serve(server, {
      get(request) {
        served.set(name, (served.get(name) ?? 0) + 1);
        return request;
      },
    });
    const health = serveHealth(server);
    prepare(health);
    await server.listen();
    t.teardown(() => server.close());
    return { server, health };
  };
  const clock = createManualClock();
  const events: BalancerEvent[] = [];
  const balancer = createBalancer({
    resolve: createStaticResolver({ orders: names.map((name) => `inmem://${name}`) }),
    policy: roundRobin(),
    healthCheck: true,
    onEvent: (event) => void events.push(event),
    clock,
  });
  const retries = createRetries();
  const client = createTransport({
    protocol: orders,
    backends,
    interceptors: { client: [retries.interceptor, balancer.interceptor] },
  });
  t.teardown(() => client.close());
  /** Makes calls, and returns the servers that got them. */
  const call = async (times: number) => {
    served.clear();
    for (let n = 0; n < times; n++) await client.send('orders', 'get', ONE);
    return [...served.keys()].sort().join(' ');
  };
  const statuses = () =>
    balancer
      .snapshot()
      .names[0]!.addresses.map(({ status }) => status)
      .join(' ');
  const until = async (wanted: string) => {
    for (let n = 0; n < 1_000 && statuses() !== wanted; n++) await turn();
    t.is(statuses(), wanted);
  };
  return { backends, start, clock, events, balancer, retries, client, call, statuses, until };
}

test('an address gets calls only while its health says that it serves', async (t) => {
  const { start, call, until, retries, events } = await setUp(t, ['a', 'b', 'c']);
  const a = await start('a');
  const b = await start('b', (health) => health.set('orders', 'not_serving'));
  await start('c');
  await call(1);
  await until('up not_serving up');
  t.is(await call(9), 'a c');
  b.health.set('orders', 'serving');
  await until('up up up');
  t.is(await call(9), 'a b c');
  a.health.set('orders', 'not_serving');
  await until('not_serving up up');
  t.is(await call(9), 'b c');
  t.is(events.at(-1)?.type, 'down');
  await drain(b.server);
  await until('not_serving not_serving up');
  t.is(await call(3), 'c');
  t.is(retries.snapshot().retries, 0);
});

test('a server without the service, or that tells nobody, counts as serving', async (t) => {
  const { backends, call, until } = await setUp(t, ['plain', 'strict']);
  for (const name of ['plain', 'strict']) {
    const server = createTransport(`inmem://${name}`, { protocol: orders, backends });
    serve(server, { get: (request) => request });
    if (name === 'strict') serveHealth(server, { allow: () => false });
    await server.listen();
    t.teardown(() => server.close());
  }
  await call(1);
  await until('up up');
});

test('if no address serves, all are used; a server that starts again is used when it serves', async (t) => {
  const { start, call, until, clock, statuses } = await setUp(t, ['a', 'b']);
  const out = (health: Health) => health.set('orders', 'not_serving');
  const a = await start('a', out);
  await start('b', out);
  t.is(await call(4), 'a b');
  a.health.set('orders', 'serving');
  await until('up not_serving');
  await a.server.close();
  t.is(await call(2), 'b', 'the call is repeated');
  t.regex(statuses(), /^(down|probing) not_serving$/);
  await start('a');
  for (let n = 0; n < 20 && statuses() !== 'up not_serving'; n++) {
    clock.advance(1_000);
    await turn();
  }
  await until('up not_serving');
  t.is(await call(2), 'a');
});

test('an address that cannot be reached delays no call', async (t) => {
  const { start, call, statuses } = await setUp(t, ['a', 'nowhere']);
  await start('a');
  t.is(await call(4), 'a');
  t.is(statuses(), 'up not_serving');
});

test('watches end with their balancer, and delay no close', async (t) => {
  const { start, call, until, balancer, client } = await setUp(t, ['a', 'b', 'c']);
  const [a, b, c] = [await start('a'), await start('b'), await start('c')];
  await call(1);
  await until('up up up');
  const watching = () =>
    client.snapshot().connections.reduce((sum, { calls }) => sum + calls.out, 0);
  t.is(watching(), 3);
  await drain(c.server);
  await c.server.close({ grace: 60_000 });
  await a.server.close({ grace: 60_000 });
  balancer.close();
  while (watching() > 0) await turn();
  await b.server.close({ grace: 60_000 });
  t.pass();
});

test('a node can serve its health and check that of others', async (t) => {
  const { start, client, call, until } = await setUp(t, ['a']);
  await start('a');
  await call(1);
  const health = serveHealth(client);
  await until('up');
  t.is(await call(1), 'a');
  t.throws(() => serveHealth(client), { instanceOf: TypeError });
  await health.close();
  t.is(await call(1), 'a');
});

test('a program that has mounted the protocol itself learns so', async (t) => {
  const { start, client, call } = await setUp(t, ['a']);
  await start('a');
  client.mount(healthProtocol);
  await t.throwsAsync(call(1), { instanceOf: TypeError, message: /trunkline\.health.*already/ });
});

test('calls to a name without addresses fail instead of waiting for their health', async (t) => {
  const { client } = await setUp(t, []);
  const call = client.send('orders', 'get', ONE, { timeout: 10_000 });
  await t.throwsAsync(call, { code: 'unavailable', message: /has no address now/ });
});
