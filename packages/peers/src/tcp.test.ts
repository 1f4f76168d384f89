// Tests of peers over real sockets on loopback: they find each other, come back at another address,
// and leave nothing behind.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setImmediate as turn } from 'node:timers/promises';
import { createTransport, type TransportError } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { nodeProbe } from '@trunkline/transport-testkit';
import ava from 'ava';
import { createFileAddressBook } from './index.node.ts';
import type { PeersOptions } from './options.ts';
import { createPeers } from './peers.ts';
import { echo, idOf, passive } from './testing/cluster.ts';
import { carriers } from './testing/real/carriers.ts';
import { credentials } from './testing/real/credentials.ts';
import { folder } from './testing/real/folder.ts';
import { emitted, isLinked, overTcp, type RealFixture, test } from './testing/real/real-fixture.ts';

const named = (name: string) => ({ identity: { nodeId: idOf(name) } });
const hasIPv6 = Object.values(networkInterfaces()).some((each) =>
  each?.some(({ address }) => address === '::1'),
);
const onIPv6: typeof test = hasIPv6 ? test : (title) => void ava.skip(title, () => {});

// These tests are serial because they check the open resources of this process.
ava.serial(
  'transports and peers that are closed, in any order, leave nothing that keeps the process running',
  async (t) => {
    const { resources } = nodeProbe(process);
    const path = join(await folder(t), 'book');
    const round = async (isAtOnce: boolean, addressBook?: PeersOptions['addressBook']) => {
      const [one, two] = [overTcp({ protocol: echo }), overTcp({ protocol: echo })];
      await Promise.all([one.listen(), two.listen()]);
      const a = createPeers({ transport: one, addressBook });
      const b = createPeers({ transport: two, persistent: [one.localAddr(), '127.0.0.1:1'] });
      await Promise.all([a.start(), b.start()]);
      await Promise.all([a.ready({ timeout: 10_000 }), b.ready({ timeout: 10_000 })]);
      if (isAtOnce) return Promise.all([a, b, one, two].map((each) => each.close()));
      await a.close();
      await Promise.all([one.close(), two.close()]);
      return b.close();
    };
    const open = async () => {
      for (let i = 0; i < 10; i++) await turn();
      return [...resources()].filter((name) => /TCP|UDP|Timeout|FS|File|Pipe/.test(name)).sort();
    };
    await round(true);
    const before = await open();
    for (let i = 0; i < 6; i++) await round(i % 2 === 0, createFileAddressBook(path));
    t.deepEqual(await open(), before);
  },
);

ava('a process whose peers and transports are closed exits by itself', async (t) => {
  t.timeout(60_000);
  const program = new URL('./testing/real/three-nodes.js', import.meta.url).pathname;
  const args = [program, join(await folder(t), 'book')];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => void child.kill('SIGKILL'));
  let said = '';
  child.stdout.on('data', (chunk) => (said += chunk));
  const [code] = await once(child, 'close');
  t.deepEqual([code, said], [0, 'met, closed\n']);
});

for (const carrier of carriers.filter(({ name }) => ['TCP', 'TLS', 'noise'].includes(name))) {
  test(`over ${carrier.name}, three nodes find each other through one seed and call each other by id; one that is killed and returns elsewhere is found again`, async (t, fixture) => {
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
    await fixture.linked([a, first, c], 60_000);
    const call = c.transport.send(`node:${first.nodeId}`, 'say', 'hello');
    t.is(await fixture.settle(call), 'b: hello');
    await fixture.run(130_000);
    await fixture.settle(first.close());
    const hasGone = () => !isLinked(a, first) && !isLinked(c, first);
    await fixture.until('a and c have lost the first b', hasGone);

    // The node knows no seed any more, and no other node knows its port.
    const b = await node('b', { addressBook });
    t.not(b.address, first.address);
    const nodes = [a, b, c];
    await fixture.linked(nodes, 60_000);
    for (const from of nodes)
      for (const to of nodes.filter((node) => node !== from)) {
        const again = from.transport.send(`node:${to.nodeId}`, 'say', 'again');
        t.is(await fixture.settle(again), `${to.name}: again`);
      }
    await fixture.run(60_000);
    if (carrier.proves)
      for (const { name, nodeId } of nodes) t.is(nodeId, keys[name as 'a'].nodeId, 'from its key');
    for (const { transport, peers } of nodes) {
      t.is(transport.remotes().length, 2, 'one link per peer');
      for (const { nodeId, proven, remote, rtt, score } of peers.list())
        t.deepEqual(
          [proven, remote.nodeId, rtt !== undefined, score],
          [carrier.proves, carrier.proves ? nodeId : undefined, true, 100],
        );
    }
  });
}

test('one address in many spellings is one peer with one link, permanently', async (t, fixture) => {
  const b = await fixture.node('b', { peers: passive });
  const port = b.address.split(':').at(-1);
  const hosts = 'localhost LOCALHOST 127.0.0.1 127.1 2130706433 [::ffff:127.0.0.1]';
  const spellings = hosts.split(' ').map((host) => `${host}:${port}`);
  const a = await fixture.node('a', {
    peers: { ...passive, persistent: [...spellings, `tcp://127.0.0.1:${port}`] },
  });
  await fixture.linked([a, b]);
  await fixture.run(20_000);
  const dials = a.dials.length;
  const [link] = a.transport.remotes();
  for (const node of [a, b])
    t.is(node.transport.remotes().length, 1, 'the others are closed, not merely idle');
  await fixture.run(120_000);
  for (const node of [a, b]) {
    t.deepEqual([node.peers.list().length, node.transport.remotes().length], [1, 1]);
    t.deepEqual([emitted(node, 'up').length, emitted(node, 'down').length], [1, 0]);
  }
  t.is(a.transport.remotes()[0], link);
  t.is(a.dials.length, dials, 'each is dialed once, then never again');
  t.true(dials <= spellings.length + 1);
  t.deepEqual([b.peers.snapshot().inbound, a.peers.snapshot().outbound], [1, 0]);
});

test('removing a peer by its configured address disconnects it, even if the link in use is one that it dialed', async (t, fixture) => {
  const [lower, higher] = ['1', '2'].map((digit) => ({ nodeId: digit.repeat(64) }));
  const b = await fixture.node('b', { peers: { ...passive, identity: lower } });
  const a = await fixture.node('a', {
    peers: { ...passive, identity: higher, maxInbound: 0, persistent: [b.address] },
  });
  await fixture.linked([a, b]);
  b.peers.add(a.address);
  await fixture.settle(a.transport.disconnect(a.transport.remotes()[0]!));
  const hasIt = () => a.peers.list()[0]?.direction === 'in' && isLinked(b, a);
  await fixture.until('a has the connection that b dialed', hasIt);
  await fixture.run(15_000);
  t.deepEqual(a.peers.remove(b.address), [b.address]);
  await fixture.parted(a, b, 10_000);
  for (const node of [a, b]) t.is(emitted(node, 'down').at(-1)!.cause.reason, 'disconnected');
  await fixture.run(60_000);
  t.deepEqual(a.peers.list(), []);
  t.true(emitted(b, 'rejected').every(({ reason }) => reason === 'full'));
});

for (const how of ['remove', 'setTopology'] as const)
  test(`removing one of two spellings of a peer leaves its link alone: by ${how}`, async (t, fixture) => {
    const b = await fixture.node('b', { peers: passive });
    const port = b.address.split(':').at(-1);
    const [name, ip] = [`localhost:${port}`, `127.0.0.1:${port}`];
    const a = await fixture.node('a', { peers: { ...passive, persistent: [name, ip] } });
    await fixture.until('both were dialed', () => isLinked(a, b) && a.dials.length === 2);
    await fixture.run(15_000);
    if (how === 'remove') a.peers.remove(name);
    else a.peers.setTopology([name]);
    await fixture.run(15_000);
    t.deepEqual([emitted(a, 'down').length, emitted(b, 'down').length], [0, 0]);
    t.deepEqual([a.peers.list()[0]!.persistent, a.peers.topology.length], [true, 1]);
    a.peers.setTopology([]);
    await fixture.parted(a, b, 10_000);
  });

/** Starts a node that listens on both address families. */
async function dual(fixture: RealFixture, name: string, persistent: (port: number) => string[]) {
  for (let round = 0; ; round++) {
    try {
      const port = await freePort('::');
      const listens = { advertiseAddr: `tcp://127.0.0.1:${port}`, backends: [tcp()] };
      const node = await fixture.node(name, {
        make: (given) => createTransport(`tcp://[::]:${port}`, { ...given, ...listens }),
        peers: { ...passive, ...named(name), persistent: persistent(port) },
      });
      return { node, port };
    } catch (error) {
      // Another process may have taken the port.
      if ((error as TransportError).reason !== 'address_in_use' || round === 10) throw error;
    }
  }
}

async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

onIPv6(
  'a node that is reached over IPv4 and IPv6 is one peer, whoever dials',
  async (t, fixture) => {
    const hosts = ['[::1]', '127.0.0.1', 'localhost', '[0:0:0:0:0:0:0:1]'];
    const { node: b, port } = await dual(fixture, 'b', () => []);
    const target = await dual(fixture, 'a', () => hosts.map((host) => `${host}:${port}`));
    const a = target.node;
    for (const host of ['[::1]', 'localhost']) b.peers.add(`${host}:${target.port}`);
    await fixture.linked([a, b]);
    for (const time of [15_000, 120_000]) {
      await fixture.run(time);
      for (const node of [a, b])
        t.deepEqual(
          [node.peers.list().length, node.transport.remotes().length, emitted(node, 'down').length],
          [1, 1, 0],
        );
    }
    t.is(await fixture.settle(b.transport.send(`node:${a.nodeId}`, 'say', 'hi')), 'a: hi');
  },
);

onIPv6(
  'a node finds that it dialed itself however its own address is spelled, and dials that no more',
  async (t, fixture) => {
    const hosts = ['127.0.0.1', '[::1]', 'localhost', '127.1'];
    const { node: a } = await dual(fixture, 'a', (port) => hosts.map((host) => `${host}:${port}`));
    await fixture.run(200_000);
    t.deepEqual(a.peers.list(), []);
    const outward = emitted(a, 'rejected').filter(({ direction }) => direction === 'out');
    t.true(outward.every(({ reason }) => reason === 'self'));
    t.is(outward.length, 3, 'except for its advertised address, which is known');
    t.is(a.dials.length, 3);
  },
);
