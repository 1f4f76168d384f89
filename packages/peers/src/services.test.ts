// Tests of the services of nodes: 'service:<name>' reaches a connected node that serves the name
// now.

import { drain, serveHealth } from '@trunkline/resilience/health';
import {
  bytes,
  defineProtocol,
  type ResolvedAddress,
  type TransportError,
} from '@trunkline/transport-core';
import { combineResolvers } from '@trunkline/transport-core/backend';
import test from 'ava';
import type { PeersOptions } from './options.ts';
import { cluster, echo, idOf, type TestNode } from './testing/cluster.ts';
import { runs, simulationOf } from './testing/runs.ts';

const NAMES = ['client', 'a', 'b', 'c'];
/** The client dials all others; a and b serve 'orders'. */
const options = (name: string): Partial<PeersOptions<any>> => ({
  maxOutbound: 0,
  persistent: name === 'client' ? ['a', 'b', 'c'] : [],
  services: name === 'a' || name === 'b' ? ['orders'] : [],
});
/** Returns true if the client is connected to all others and knows their services. */
const isComplete = (nodes: Map<string, TestNode>) => {
  const peers = nodes.get('client')?.peers;
  return peers?.list().length === 3 && peers.services.nodes('orders').length >= 2;
};
const ask = async (node: TestNode, service = 'orders') => {
  const answer = await node.transport.send(`service:${service}`, 'say', 'x');
  return answer.split(':')[0]!;
};

test.serial('a call to a service reaches a node that serves it, and stays there', async (t) => {
  for (const run of runs()) {
    const sim = simulationOf(run);
    const nodes = cluster(sim, NAMES, { peers: options });
    await sim.until(() => isComplete(nodes));
    const client = nodes.get('client')!;
    const first = await sim.settle(ask(client));
    t.true(first === 'a' || first === 'b', run.name);
    for (let i = 0; i < 5; i++) t.is(await sim.settle(ask(client)), first);
    t.deepEqual(client.peers.services.nodes('orders'), [idOf('a'), idOf('b')].sort());
    t.deepEqual(client.peers.services.of(idOf('a')), ['orders']);
    t.deepEqual(client.peers.services.of(idOf('c')), []);
    const names = client.transport.snapshot().names.map(({ name }) => name);
    t.deepEqual(names, ['service:orders']);
    t.deepEqual(await sim.close(), []);
  }
});

test.serial(
  'a node that drains, is not healthy or withdraws a service gets no new calls of it',
  async (t) => {
    const withdrawals: [string, (node: TestNode) => unknown][] = [
      ['drain', (node) => void drain(node.transport)],
      ['health', (node) => serveHealth(node.transport).set('orders', 'not_serving')],
      ['set', (node) => node.peers.services.set(['other'])],
      ['peers', (node) => node.peers.close()],
      ['close', (node) => node.transport.close()],
    ];
    for (const [how, withdraw] of withdrawals) {
      for (const run of runs(1)) {
        const sim = simulationOf(run);
        const nodes = cluster(sim, NAMES, { peers: options });
        await sim.until(() => isComplete(nodes));
        const client = nodes.get('client')!;
        const first = await sim.settle(ask(client));
        withdraw(nodes.get(first)!);
        await sim.until(() => client.peers.services.nodes('orders').length === 1, 1_000);
        const second = await sim.settle(ask(client));
        t.not(second, first, `${how}, ${run.name}`);
        t.deepEqual(client.peers.services.nodes('orders'), [idOf(second)]);
        await sim.close();
      }
    }
  },
);

test.serial('a node that drains stays the target of a service that does not drain', async (t) => {
  const orders = defineProtocol({
    name: 'orders',
    channel: 0x60,
    methods: { ask: { id: 1, request: bytes, response: bytes } },
  });
  const sim = simulationOf(runs(1)[0]!);
  const nodes = cluster(sim, NAMES, { peers: options });
  await sim.until(() => isComplete(nodes));
  const { services } = nodes.get('client')!.peers;
  nodes.get('a')!.transport.mount(orders, { drains: false });
  void drain(nodes.get('a')!.transport);
  void drain(nodes.get('b')!.transport);
  await sim.until(() => services.nodes('orders').length === 1, 1_000);
  t.deepEqual(services.nodes('orders'), [idOf('a')]);
  t.throws(() => nodes.get('b')!.peers.transport(echo, { drains: false }), {
    message:
      "peers.transport: 'echo' is the transport's own protocol, which takes no options; except it from drain",
  });
  await sim.close();
});

test.serial('health that recovers, or ends, brings a service back', async (t) => {
  const sim = simulationOf(runs(1)[0]!);
  const nodes = cluster(sim, NAMES, { peers: options });
  await sim.until(() => isComplete(nodes));
  const { services } = nodes.get('client')!.peers;
  const health = serveHealth(nodes.get('a')!.transport);
  health.set('orders', 'not_serving');
  await sim.until(() => services.nodes('orders').length === 1, 1_000);
  health.set('orders', 'serving');
  await sim.until(() => services.nodes('orders').length === 2, 1_000);
  health.set('orders', 'not_serving');
  await sim.until(() => services.nodes('orders').length === 1, 1_000);
  void health.close();
  await sim.until(() => services.nodes('orders').length === 2, 1_000);
  t.deepEqual(await sim.close(), []);
});

test.serial(
  'a service that nobody serves is no_addresses after a second; its first node answers waiting calls',
  async (t) => {
    for (const run of runs(1)) {
      const sim = simulationOf(run, { strict: true });
      const nodes = cluster(sim, NAMES, { peers: options });
      await sim.until(() => isComplete(nodes));
      const client = nodes.get('client')!;
      const asked = sim.now;
      const error = (await sim.settle(
        ask(client, 'stock').catch((reason) => reason),
      )) as TransportError;
      t.deepEqual(
        [error.code, error.reason, error.sent, error.target],
        ['unavailable', 'no_addresses', false, 'service:stock'],
      );
      const took = sim.now - asked;
      t.true(took >= 999 && took < 1_100, `${run.name}: ${took} ms`);
      t.deepEqual(client.transport.snapshot().names, []);
      const waiting = ask(client, 'stock');
      nodes.get('c')!.peers.services.set(['stock']);
      t.is(await sim.settle(waiting), 'c');
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial('a call right after ready() reaches the node that has just connected', async (t) => {
  for (const run of runs()) {
    const sim = simulationOf(run);
    const nodes = cluster(sim, ['client', 'a'], {
      peers: (name) => ({ ...options(name), persistent: name === 'client' ? ['a'] : [] }),
    });
    await sim.until(() => nodes.size === 2);
    const client = nodes.get('client')!;
    t.is(await sim.settle(client.peers.ready().then(() => ask(client))), 'a', run.name);
    t.deepEqual(await sim.close(), []);
  }
});

test.serial('several resolvers compose, and that of services reports each change', async (t) => {
  const sim = simulationOf(runs(1)[0]!);
  const nodes = cluster(sim, NAMES, { peers: options });
  await sim.until(() => isComplete(nodes));
  const { resolver } = nodes.get('client')!.peers.services;
  const both = combineResolvers({ handles: () => false, watch: () => () => {} }, resolver);
  const reports: number[] = [];
  const stop = both.watch('service:orders', {
    resolved: (addresses: readonly ResolvedAddress[]) => void reports.push(addresses.length),
    failed: (error) => t.fail(error.message),
  });
  t.deepEqual(reports, []);
  await sim.until(() => reports.length === 1);
  nodes.get('c')!.peers.services.set(['orders']);
  await sim.until(() => reports.length === 2);
  sim.crash('a');
  await sim.until(() => reports.length === 3);
  stop();
  nodes.get('c')!.peers.services.set([]);
  await sim.run(5_000);
  t.deepEqual(reports, [2, 3, 2]);
  t.throws(() => resolver.watch('service:7000', { resolved() {}, failed() {} }), {
    message: /names no service/,
  });
  t.deepEqual(await sim.close(), []);
});

test.serial(
  'while instances crash, drain and restart, no call reaches one that does not serve, and one that was not sent is answered when repeated',
  async (t) => {
    for (const run of runs(20)) {
      const sim = simulationOf(run);
      const nodes = cluster(sim, NAMES, {
        peers: (name) => ({ ...options(name), services: name === 'client' ? [] : ['orders'] }),
      });
      await sim.until(() => isComplete(nodes));
      const client = nodes.get('client')!;
      let isOver = false;
      const answered = new Map<string, number>();
      const failures: TransportError[] = [];
      const calls = (async () => {
        while (!isOver) {
          await client.transport.clock.sleep(5);
          for (let attempt = 1; attempt <= 3; attempt++) {
            try {
              const name = await ask(client);
              answered.set(name, (answered.get(name) ?? 0) + 1);
              break;
            } catch (error) {
              // A call that a crashed node may have seen must not be repeated.
              if ((error as TransportError).sent === true) break;
              if (attempt === 3) failures.push(error as TransportError);
            }
          }
        }
      })();
      for (const victim of ['a', 'b', 'c', 'a']) {
        await sim.run(2_000);
        sim.crash(victim);
        await sim.run(2_000);
        sim.restart(victim);
        await sim.until(() => client.peers.services.nodes('orders').length === 3, 60_000);
      }
      isOver = true;
      await sim.settle(calls);
      t.deepEqual(
        failures.map(({ message }) => message),
        [],
        run.name,
      );
      t.true([...answered.values()].reduce((sum, count) => sum + count, 0) > 500, run.name);
      t.deepEqual(await sim.close(), []);
    }
  },
);
