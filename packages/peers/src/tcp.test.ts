// Tests of peers over real sockets on loopback: they find each other, come back at another address,
// and leave nothing behind.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import { setImmediate as turn } from 'node:timers/promises';
import { createTransport } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { nodeProbe } from '@trunkline/transport-testkit';
import test from 'ava';
import { createFileAddressBook } from './index.node.ts';
import type { PeersOptions } from './options.ts';
import { createPeers } from './peers.ts';
import { echo, idOf, passive } from './testing/cluster.ts';
import { carriers } from './testing/real/carriers.ts';
import { credentials } from './testing/real/credentials.ts';
import { folder } from './testing/real/folder.ts';
import { hasIPv6, onFreePort } from './testing/real/listeners.ts';
import { emitted, isLinked, RealFixture, type RealNode } from './testing/real/real-fixture.ts';

const named = (name: string) => ({ identity: { nodeId: idOf(name) } });
const areAllLinked = (nodes: readonly RealNode[]) =>
  nodes.every((one) => nodes.every((other) => one === other || isLinked(one, other)));
const onIPv6 = hasIPv6 ? test : test.skip;

// These tests are serial because they check the open resources of this process.
test.serial(
  'transports and peers that are closed, in any order, leave no handle and no timer',
  async (t) => {
    const { resources } = nodeProbe(process);
    const path = join(await folder(t), 'book');
    const round = async (addressBook?: PeersOptions['addressBook']) => {
      const [one, two] = [
        createTransport('tcp://127.0.0.1:0', { protocol: echo, backends: [tcp()] }),
        createTransport('tcp://127.0.0.1:0', { protocol: echo, backends: [tcp()] }),
      ];
      await Promise.all([one.listen(), two.listen()]);
      const a = createPeers({ transport: one, addressBook });
      const b = createPeers({ transport: two, persistent: [one.localAddr(), '127.0.0.1:1'] });
      await Promise.all([a.start(), b.start()]);
      await Promise.all([a.ready({ timeout: 10_000 }), b.ready({ timeout: 10_000 })]);
      await a.close();
      await Promise.all([one.close(), two.close()]);
      await b.close();
    };
    const open = async () => {
      for (let i = 0; i < 10; i++) await turn();
      return [...resources()].filter((name) => /TCP|Timeout|FS|Pipe/.test(name)).sort();
    };
    await round();
    const before = await open();
    for (let i = 0; i < 5; i++) await round(createFileAddressBook(path));
    t.deepEqual(await open(), before);
  },
);

test('a process whose peers and transports are closed exits by itself', async (t) => {
  t.timeout(60_000);
  const child = spawn(
    process.execPath,
    [
      new URL('./testing/real/three-nodes.js', import.meta.url).pathname,
      join(await folder(t), 'book'),
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  t.teardown(() => void child.kill('SIGKILL'));
  let said = '';
  child.stdout.on('data', (chunk) => (said += chunk));
  const [code] = await once(child, 'close');
  t.deepEqual([code, said], [0, 'met, closed\n']);
});

for (const carrier of carriers.filter(({ name }) => ['TCP', 'TLS', 'noise'].includes(name))) {
  test(`over ${carrier.name}, three nodes find each other through one seed and call each other by id; one that is killed and returns elsewhere is found again`, async (t) => {
    const fixture = new RealFixture(t);
    const addressBook = createFileAddressBook(join(await folder(t), 'book'));
    const keys = { a: await credentials(), b: await credentials(), c: await credentials() };
    const node = (name: 'a' | 'b' | 'c', peers: Partial<PeersOptions>) =>
      fixture.node(name, {
        make: carrier.make(keys[name]),
        peers: { ...(carrier.proves ? {} : named(name)), ...peers },
      });
    const a = await node('a', {});
    const c = await node('c', { seeds: [`${a.nodeId}@${a.address}`] });
    const first = await node('b', { seeds: [a.address], addressBook });
    await fixture.until(
      'a, the first b and c are all peers',
      () => areAllLinked([a, first, c]),
      60_000,
    );
    t.is(
      await fixture.settle(c.transport.send(`node:${first.nodeId}`, 'say', 'hello')),
      'b: hello',
    );
    await fixture.run(130_000);
    await fixture.settle(first.close());
    await fixture.until(
      'a and c have lost the first b',
      () => !isLinked(a, first) && !isLinked(c, first),
    );

    // The node knows no seed any more, and no other node knows its port.
    const b = await node('b', { addressBook });
    t.not(b.address, first.address);
    const nodes = [a, b, c];
    await fixture.until('a, b and c are all peers', () => areAllLinked(nodes), 60_000);
    for (const [from, to] of [
      [a, b],
      [b, a],
      [c, b],
      [b, c],
    ] as const) {
      t.is(
        await fixture.settle(from.transport.send(`node:${to.nodeId}`, 'say', 'again')),
        `${to.name}: again`,
      );
    }
    await fixture.run(60_000);
    if (carrier.proves)
      t.deepEqual(
        nodes.map(({ nodeId }) => nodeId),
        nodes.map(({ name }) => keys[name as 'a'].nodeId),
        'ids are derived from keys',
      );
    for (const { transport, peers } of nodes) {
      t.is(transport.remotes().length, 2, 'one link per peer');
      for (const { nodeId, proven, remote, rtt, score } of peers.list())
        t.deepEqual(
          [proven, remote.nodeId, rtt !== undefined, score],
          [carrier.proves, carrier.proves ? nodeId : undefined, true, 100],
        );
    }
    t.deepEqual(await fixture.close(), []);
  });
}

test('one address in many spellings is one peer with one link, permanently', async (t) => {
  const fixture = new RealFixture(t);
  const b = await fixture.node('b', { peers: passive });
  const port = b.address.split(':').at(-1);
  const spellings = [
    'localhost',
    'LOCALHOST',
    '127.0.0.1',
    '127.1',
    '2130706433',
    '[::ffff:127.0.0.1]',
  ].map((host) => `${host}:${port}`);
  const a = await fixture.node('a', {
    peers: { ...passive, persistent: [...spellings, `tcp://127.0.0.1:${port}`] },
  });
  await fixture.until('a and b are peers', () => isLinked(a, b) && isLinked(b, a));
  await fixture.run(20_000);
  const dials = a.dials.length;
  const [link] = a.transport.remotes();
  for (const node of [a, b])
    t.is(node.transport.remotes().length, 1, 'the others are closed, not merely idle');
  await fixture.run(120_000);
  for (const node of [a, b])
    t.deepEqual(
      [
        node.peers.list().length,
        node.transport.remotes().length,
        emitted(node, 'up').length,
        emitted(node, 'down').length,
      ],
      [1, 1, 1, 0],
    );
  t.is(a.transport.remotes()[0], link);
  t.is(a.dials.length, dials, 'each is dialed once, then never again');
  t.true(dials <= spellings.length + 1);
  t.deepEqual([b.peers.snapshot().inbound, a.peers.snapshot().outbound], [1, 0]);
  t.deepEqual(await fixture.close(), []);
});

test('removing a peer by its configured address disconnects it, even if the link in use is one that it dialed', async (t) => {
  const fixture = new RealFixture(t);
  const b = await fixture.node('b', {
    peers: { ...passive, identity: { nodeId: '1'.repeat(64) } },
  });
  const a = await fixture.node('a', {
    peers: {
      ...passive,
      identity: { nodeId: '2'.repeat(64) },
      maxInbound: 0,
      persistent: [b.address],
    },
  });
  await fixture.until('a and b are peers', () => isLinked(a, b) && isLinked(b, a));
  b.peers.add(a.address);
  await fixture.settle(a.transport.disconnect(a.transport.remotes()[0]!));
  await fixture.until(
    'a has the connection that b dialed',
    () => a.peers.list()[0]?.direction === 'in' && isLinked(b, a),
  );
  await fixture.run(15_000);
  t.deepEqual(a.peers.remove(b.address), [b.address]);
  await fixture.until(
    'a and b are no longer peers',
    () => !isLinked(a, b) && !isLinked(b, a),
    10_000,
  );
  t.deepEqual(
    [emitted(a, 'down').at(-1)!.cause.reason, emitted(b, 'down').at(-1)!.cause.reason],
    ['disconnected', 'disconnected'],
  );
  await fixture.run(60_000);
  t.deepEqual(
    [a.peers.list(), emitted(b, 'rejected').every(({ reason }) => reason === 'full')],
    [[], true],
  );
  t.deepEqual(await fixture.close(), []);
});

test('removing one of two spellings of a peer leaves its link alone', async (t) => {
  for (const first of ['localhost', '127.0.0.1']) {
    const fixture = new RealFixture(t);
    const b = await fixture.node('b', { peers: passive });
    const spellings = ['localhost', '127.0.0.1'].map(
      (host) => `${host}:${b.address.split(':').at(-1)}`,
    );
    const a = await fixture.node('a', { peers: { ...passive, persistent: spellings } });
    await fixture.until(
      'a and b are peers and both addresses were dialed',
      () => isLinked(a, b) && a.dials.length === 2,
    );
    await fixture.run(15_000);
    const going = spellings.find((spelling) => spelling.startsWith(first))!;
    if (first === 'localhost') a.peers.remove(going);
    else a.peers.setTopology(spellings.filter((spelling) => spelling !== going));
    await fixture.run(15_000);
    t.deepEqual(
      [
        emitted(a, 'down').length,
        emitted(b, 'down').length,
        a.peers.list()[0]!.persistent,
        a.peers.topology.length,
      ],
      [0, 0, true, 1],
      first,
    );
    a.peers.setTopology([]);
    await fixture.until(
      'a and b are no longer peers',
      () => !isLinked(a, b) && !isLinked(b, a),
      10_000,
    );
    t.deepEqual(await fixture.close(), []);
  }
});

onIPv6('a node that is reached over IPv4 and IPv6 is one peer, whoever dials', async (t) => {
  const fixture = new RealFixture(t);
  const make = (name: string, persistent: readonly string[] = []) =>
    onFreePort('::', (port) =>
      fixture.node(name, {
        make: (given) =>
          createTransport(`tcp://[::]:${port}`, {
            ...given,
            advertiseAddr: `tcp://127.0.0.1:${port}`,
            backends: [tcp()],
          }),
        peers: { ...passive, ...named(name), persistent },
      }),
    );
  const portOf = ({ transport }: RealNode) => transport.advertiseAddr().split(':').at(-1);
  const b = await make('b');
  const a = await make('a', [
    `[::1]:${portOf(b)}`,
    `127.0.0.1:${portOf(b)}`,
    `localhost:${portOf(b)}`,
    `[0:0:0:0:0:0:0:1]:${portOf(b)}`,
  ]);
  b.peers.add(`[::1]:${portOf(a)}`);
  b.peers.add(`localhost:${portOf(a)}`);
  await fixture.until('a and b are peers', () => isLinked(a, b) && isLinked(b, a));
  for (const time of [15_000, 120_000]) {
    await fixture.run(time);
    for (const node of [a, b])
      t.deepEqual(
        [node.peers.list().length, node.transport.remotes().length, emitted(node, 'down').length],
        [1, 1, 0],
      );
  }
  t.is(await fixture.settle(b.transport.send(`node:${a.nodeId}`, 'say', 'hi')), 'a: hi');
  t.deepEqual(await fixture.close(), []);
});

onIPv6(
  'a node finds that it dialed itself however its own address is spelled, and dials that no more',
  async (t) => {
    const fixture = new RealFixture(t);
    const a = await onFreePort('::', (port) =>
      fixture.node('a', {
        make: (given) =>
          createTransport(`tcp://[::]:${port}`, {
            ...given,
            advertiseAddr: `tcp://127.0.0.1:${port}`,
            backends: [tcp()],
          }),
        peers: {
          persistent: ['127.0.0.1', '[::1]', 'localhost', '127.1'].map((host) => `${host}:${port}`),
        },
      }),
    );
    await fixture.run(200_000);
    t.deepEqual(a.peers.list(), []);
    const outward = emitted(a, 'rejected').filter(({ direction }) => direction === 'out');
    t.true(outward.every(({ reason }) => reason === 'self'));
    t.is(outward.length, 3, 'except for its advertised address, which is known');
    t.is(a.dials.length, 3);
    t.deepEqual(await fixture.close(), []);
  },
);
