// Tests what a node is made of, and the order in which its parts start and close.

import { healthProtocol } from '@trunkline/resilience/health';
import type { TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { createNode, type MeshNode, type NodePart } from '../index.mesh.ts';
import { createTransport } from '../index.ts';
import { addressOf, closing, first, greeter, handlers, text } from './testing/fixture.ts';

/** Logs each call of some functions of an object, before it calls them. */
function logged<T extends object>(log: string[], name: string, object: T, ...names: (keyof T)[]) {
  for (const method of names) {
    const call = object[method] as (...args: unknown[]) => unknown;
    const replaced = (...args: unknown[]) => {
      log.push(`${name}.${String(method)}`);
      return call.apply(object, args);
    };
    Object.defineProperty(object, method, { value: replaced });
  }
  return object;
}

test('a node serves its handlers, its health and its parts, and other nodes call it', async (t) => {
  const address = addressOf(t, 'a');
  const node = await createNode({ address, name: 'blue-3', protocol: greeter, handlers });
  closing(t, node);
  const other = closing(t, await createNode({ protocol: greeter, peers: { seeds: [address] } }));
  await other.peers.ready();
  t.is(await other.transport.to(`node:${node.nodeId}`).greet('Ada'), 'Hello, Ada!');
  t.is(other.peers.get(node.nodeId)!.remote.hello['name'], 'blue-3');
  const client = createTransport({ protocol: healthProtocol });
  t.is(await client.to(address).check('greeter'), 'serving');
  await client.close();
  t.is(node.name, 'blue-3');
  t.is(node.gossip.nodeId, node.nodeId);
});

test('fields of the hello that the node has are sent with its name', async (t) => {
  const address = addressOf(t, 'a');
  const server = closing(t, await createNode({ address, protocol: greeter }));
  for (const hello of [{ zone: 'eu' }, async () => ({ zone: 'eu' })]) {
    const node = await createNode({ name: 'n', protocol: greeter, transport: { hello } });
    const up = server.transport.connections();
    await node.transport.dial(address);
    await first(up);
    t.deepEqual(server.transport.remotes()[0]!.hello, { name: 'n', zone: 'eu' });
    await node.close();
  }
});

test('parts start in order and before the node listens, gossip before it and peers last', async (t) => {
  const log: string[] = [];
  const part = (name: string): NodePart<MeshNode> => ({
    name,
    start: async ({ transport, peers, gossip, topics }) => {
      log.push(`start ${name}`);
      t.throws(() => transport.localAddr(), { code: 'failed_precondition' });
      t.is(topics['news']?.name, 'news');
      if (name === 'one') {
        logged(log, 'gossip', gossip, 'start', 'close');
        logged(log, 'peers', peers, 'start', 'close');
      }
    },
    close: () => void log.push(`close ${name}`),
  });
  const node = await createNode({
    address: addressOf(t, 'a'),
    protocol: greeter,
    handlers,
    gossip: { topics: { news: text } },
    parts: [part('one'), part('two')],
    createTransport: (addresses, options) =>
      logged(log, 'transport', createTransport(addresses!, options), 'listen', 'close'),
  });
  logged(log, 'health', node.health, 'close');
  const started = ['start one', 'start two', 'gossip.start', 'transport.listen', 'peers.start'];
  t.deepEqual(log.splice(0), started);
  await node.close();
  const closed = ['close two', 'close one', 'gossip.close', 'peers.close', 'health.close'];
  t.deepEqual(log.splice(0), [...closed, 'transport.close']);
  await node.close();
  t.deepEqual(log, []);
});

test('when it begins to listen, all protocols are mounted and the topics are joined', async (t) => {
  let protocols: string[] = [];
  const parts: NodePart[] = [];
  const node = await createNode({
    address: addressOf(t, 'a'),
    protocol: greeter,
    gossip: { topics: { news: text } },
    parts,
    createTransport: (addresses, options) => {
      const transport = createTransport(addresses!, options);
      const { listen } = transport;
      transport.listen = () => {
        protocols = transport.snapshot().protocols.map(({ name }) => name);
        return listen.call(transport);
      };
      return transport;
    },
  });
  closing(t, node);
  const own = ['health', 'peers', 'gossip'].map((name) => `trunkline.${name}`);
  t.deepEqual(protocols.sort(), ['greeter', ...own].sort());
  t.like(await first(node.gossip.events()), { type: 'joined', topic: 'news' });
});

test('the observers of the transport and of the parts all see its events', async (t) => {
  const seen: string[] = [];
  const observer = (name: string) => ({ event: () => void seen.push(name) });
  const address = addressOf(t, 'a');
  const node = await createNode({
    address,
    protocol: greeter,
    transport: { observer: observer('own') },
    parts: [{ name: 'one', observer: observer('one') }, { name: 'two' }],
  });
  closing(t, node);
  const client = createTransport({ protocol: greeter });
  await client.dial(address);
  await first(node.transport.connections());
  t.deepEqual(seen, ['own', 'one']);
  await client.close();
});

test('await using closes a node', async (t) => {
  const address = addressOf(t, 'a');
  let transport: MeshNode['transport'];
  {
    await using node = await createNode({ address, protocol: greeter });
    transport = node.transport;
  }
  t.is(transport.snapshot().state, 'closed');
});

test('calls in flight may finish within the grace period', async (t) => {
  const address = addressOf(t, 'a');
  let called = () => {};
  let answer = (_: string) => {};
  const calling = new Promise<void>((resolve) => (called = resolve));
  const greet = () => {
    called();
    return new Promise<string>((resolve) => (answer = resolve));
  };
  const node = await createNode({ address, protocol: greeter, handlers: { greet } });
  const client = createTransport({ protocol: greeter });
  const greeting = client.to(address).greet('Ada');
  await calling;
  const closed = node.close({ grace: 10_000 });
  answer('late');
  t.is(await greeting, 'late');
  await closed;
  await client.close();
  await t.throwsAsync(node.close({ grace: -1 }), {
    instanceOf: TypeError,
    message: /^node\.close: grace/,
  });
});

test('everything is closed although a part can not be, and one error names each', async (t) => {
  const parts = ['one', 'two'].map((name) => ({
    name,
    close: () => Promise.reject(new Error(`${name} hangs`)),
  }));
  const node = await createNode({
    address: addressOf(t, 'a'),
    name: 'blue-3',
    protocol: greeter,
    parts,
  });
  const error = await t.throwsAsync<TransportError>(node.close(), { code: 'internal' });
  t.is(
    error?.message,
    "node.close: node 'blue-3': parts[1] 'two': two hangs; parts[0] 'one': one hangs",
  );
  t.is((error!.cause as Error).message, 'two hangs');
  t.is(node.transport.snapshot().state, 'closed');
});
