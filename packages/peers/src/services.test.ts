// Tests of the services of nodes: 'service:<name>' reaches a connected node that serves the name
// now.

import { drain, serveHealth } from '@trunkline/resilience/health';
import type { Simulation } from '@trunkline/simulation';
import {
  bytes,
  defineProtocol,
  type ResolvedAddress,
  type TransportError,
} from '@trunkline/transport-core';
import { combineResolvers } from '@trunkline/transport-core/backend';
import type { PeersOptions } from './options.ts';
import { failureOf } from './testing/bare.ts';
import { boot, echo, idOf, type TestNode } from './testing/cluster.ts';
import { test } from './testing/runs.ts';

/** Starts a client, which dials all others, and a, b and c, of which a and b serve 'orders'. */
async function start(sim: Simulation, given: (name: string) => Partial<PeersOptions> = () => ({})) {
  const nodes = await boot(sim, ['client', 'a', 'b', 'c'], {
    peers: (name) => ({
      maxOutbound: 0,
      persistent: name === 'client' ? ['a', 'b', 'c'] : [],
      services: name === 'a' || name === 'b' ? ['orders'] : [],
      ...given(name),
    }),
  });
  const [client] = nodes;
  const { services } = client.peers;
  const count = () => services.nodes('orders').length;
  await sim.until(() => client.peers.list().length === 3 && count() >= 2);
  return {
    nodes,
    client,
    services,
    /** Waits until the client knows this many nodes that serve 'orders'. */
    counts: (most: number, limit = 1_000) => sim.until(() => count() === most, limit),
  };
}

const ask = async (node: TestNode, service = 'orders') => {
  const answer = await node.transport.send(`service:${service}`, 'say', 'x');
  return answer.split(':')[0]!;
};

test('a call to a service reaches a node that serves it, and stays there', async (t, sim) => {
  const { client, services } = await start(sim);
  const first = await sim.settle(ask(client));
  t.true(first === 'a' || first === 'b');
  for (let i = 0; i < 5; i++) t.is(await sim.settle(ask(client)), first);
  t.deepEqual(services.nodes('orders'), [idOf('a'), idOf('b')].sort());
  t.deepEqual([services.of(idOf('a')), services.of(idOf('c'))], [['orders'], []]);
  const names = client.transport.snapshot().names.map(({ name }) => name);
  t.deepEqual(names, ['service:orders']);
});

const withdrawals: [string, (node: TestNode) => unknown][] = [
  ['drain', (node) => void drain(node.transport)],
  ['health', (node) => serveHealth(node.transport).set('orders', 'not_serving')],
  ['set', (node) => node.peers.services.set(['other'])],
  ['peers', (node) => node.peers.close()],
  ['close', (node) => node.transport.close()],
];
for (const [how, withdraw] of withdrawals)
  test(`a node that drains, is not healthy or withdraws a service gets no new calls of it: ${how}`, async (t, sim) => {
    const { nodes, client, services, counts } = await start(sim);
    const first = await sim.settle(ask(client));
    withdraw(nodes.find(({ name }) => name === first)!);
    await counts(1);
    const second = await sim.settle(ask(client));
    t.not(second, first);
    t.deepEqual(services.nodes('orders'), [idOf(second)]);
  });

test('a node that drains stays the target of a service that does not drain', async (t, sim) => {
  const orders = defineProtocol({
    name: 'orders',
    channel: 0x60,
    methods: { ask: { id: 1, request: bytes, response: bytes } },
  });
  const { nodes, services, counts } = await start(sim);
  const [, a, b] = nodes;
  a.transport.mount(orders, { drains: false });
  void drain(a.transport);
  void drain(b.transport);
  await counts(1);
  t.deepEqual(services.nodes('orders'), [idOf('a')]);
  t.throws(() => b.peers.transport(echo, { drains: false }), {
    message:
      "peers.transport: 'echo' is the transport's own protocol, which takes no options; except it from drain",
  });
});

test('health that recovers, or ends, brings a service back', async (_, sim) => {
  const { nodes, counts } = await start(sim);
  const health = serveHealth(nodes[1].transport);
  health.set('orders', 'not_serving');
  await counts(1);
  health.set('orders', 'serving');
  await counts(2);
  health.set('orders', 'not_serving');
  await counts(1);
  void health.close();
  await counts(2);
});

test(
  'a service that nobody serves is no_addresses after a second; its first node answers waiting calls',
  async (t, sim) => {
    const { nodes, client } = await start(sim);
    const asked = sim.now;
    const error = await sim.settle(failureOf(ask(client, 'stock')));
    t.like(error, { code: 'unavailable', reason: 'no_addresses', target: 'service:stock' });
    t.false(error.sent);
    const took = sim.now - asked;
    t.true(took >= 999 && took < 1_100, `${took} ms`);
    t.deepEqual(client.transport.snapshot().names, []);
    const waiting = ask(client, 'stock');
    nodes[3].peers.services.set(['stock']);
    t.is(await sim.settle(waiting), 'c');
  },
  { strict: true },
);

for (const [what, announced] of [
  ['other services', ['stock']],
  ['no services any more', []],
] as const)
  test(`an announcement that is lost with a connection is repeated over the other one: ${what}`, async (t, sim) => {
    const message = (request: Uint8Array) => {
      if (new TextDecoder().decode(request).includes('poison')) throw new Error('no');
    };
    const [client, a] = await boot(sim, ['client', 'a'], {
      peers: (name) => ({
        maxOutbound: 0,
        ...(name === 'a' ? { services: ['orders'] } : { filters: { message } }),
      }),
    });
    const known = () => client.peers.services.of(idOf('a'));
    await sim.settle(client.transport.dial('a'));
    await sim.settle(a.transport.dial('client'));
    await sim.run(1_000);
    t.deepEqual(known(), ['orders']);
    const { remote } = a.peers.list()[0]!;
    // The client ends the connection at this message, before it reads the announcement.
    t.true(a.transport.trySend(remote, 'hint', 'poison'));
    a.peers.services.set(announced);
    await sim.run(2_000);
    t.deepEqual([remote.closed, client.peers.list().length], [true, 1]);
    t.deepEqual(known(), announced);
  });

test('a call right after ready() reaches the node that has just connected', async (t, sim) => {
  const [client] = await boot(sim, ['client', 'a'], {
    peers: (name) => ({
      maxOutbound: 0,
      ...(name === 'client' ? { persistent: ['a'] } : { services: ['orders'] }),
    }),
  });
  t.is(await sim.settle(client.peers.ready().then(() => ask(client))), 'a');
});

test('several resolvers compose, and that of services reports each change', async (t, sim) => {
  const { nodes, services } = await start(sim);
  const { resolver } = services;
  const both = combineResolvers({ handles: () => false, watch: () => () => {} }, resolver);
  const reports: number[] = [];
  const stop = both.watch('service:orders', {
    resolved: (addresses: readonly ResolvedAddress[]) => void reports.push(addresses.length),
    failed: (error) => t.fail(error.message),
  });
  t.deepEqual(reports, []);
  await sim.until(() => reports.length === 1);
  nodes[3].peers.services.set(['orders']);
  await sim.until(() => reports.length === 2);
  sim.crash('a');
  await sim.until(() => reports.length === 3);
  stop();
  nodes[3].peers.services.set([]);
  await sim.run(5_000);
  t.deepEqual(reports, [2, 3, 2]);
  t.throws(() => resolver.watch('service:7000', { resolved() {}, failed() {} }), {
    message: /names no service/,
  });
});

test(
  'while instances crash, drain and restart, no call reaches one that does not serve, and one that was not sent is answered when repeated',
  async (t, sim) => {
    const { client, counts } = await start(sim, (name) => ({
      services: name === 'client' ? [] : ['orders'],
    }));
    let isOver = false;
    let answered = 0;
    const failures: string[] = [];
    const calls = (async () => {
      while (!isOver) {
        await client.transport.clock.sleep(5);
        for (let attempt = 1; attempt <= 3; attempt++) {
          try {
            await ask(client);
            answered++;
            break;
          } catch (error) {
            const { sent, message } = error as TransportError;
            // A call that a crashed node may have seen must not be repeated.
            if (sent === true) break;
            if (attempt === 3) failures.push(message);
          }
        }
      }
    })();
    for (const victim of ['a', 'b', 'c', 'a']) {
      await sim.run(2_000);
      sim.crash(victim);
      await sim.run(2_000);
      sim.restart(victim);
      await counts(3, 60_000);
    }
    isOver = true;
    await sim.settle(calls);
    t.deepEqual(failures, []);
    t.true(answered > 500);
  },
  { count: 20 },
);
