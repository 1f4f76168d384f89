// Tests of incoming connections that fail: each is reported once, with its reason.

import { connect } from 'node:net';
import { createAuthority, createIdentity } from '@trunkline/security';
import { createNoiseStreamLayer } from '@trunkline/security/noise';
import { createTransport, type Transport } from '@trunkline/transport-core';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { seededRandom } from '@trunkline/transport-core/testing';
import { tcp } from '@trunkline/transport-tcp';
import { createTcpStreamLayer } from '@trunkline/transport-tcp/layer';
import test from 'ava';
import { echo, passive } from './testing/cluster.ts';
import { carriers } from './testing/real/carriers.ts';
import { credentials } from './testing/real/credentials.ts';
import { emitted, type Given, overTcp, RealFixture } from './testing/real/real-fixture.ts';
import type { PeerRejection } from './types.ts';

const noise = carriers.find(({ name }) => name === 'noise')!;
const tls = carriers.find(({ name }) => name === 'TLS')!;
const plain = carriers.find(({ name }) => name === 'TCP')!;
let made = 0;

/** Creates a transport from which to dial, which lives until the fixture ends. */
function caller(
  { clock, guests }: RealFixture,
  make: (given: Given) => Transport<typeof echo>,
  options: Partial<Given> = {},
) {
  const transport = make({
    protocol: echo,
    clock,
    random: seededRandom(3_000 + ++made),
    ...options,
  });
  guests.add(transport);
  return transport;
}

interface Case {
  readonly title: string;
  readonly carrier: (typeof carriers)[number];
  readonly options?: Partial<Given>;
  readonly come: (fixture: RealFixture, address: string) => Promise<unknown>;
  readonly reason: PeerRejection;
  /** The reason of the error. */
  readonly cause: string | undefined;
}

const strangers = createAuthority();

const cases: readonly Case[] = [
  ...carriers.map(
    (carrier): Case => ({
      title: `another network, over ${carrier.name}`,
      carrier,
      come: async (fixture, address) =>
        caller(fixture, carrier.make(await credentials()), { network: 'another' }).dial(address),
      reason: 'incompatible',
      cause: 'wrong_network',
    }),
  ),
  {
    title: 'a certificate of another authority',
    carrier: tls,
    come: async (fixture, address) => {
      const identity = createIdentity();
      const { cert, issue } = await strangers;
      const { ca } = (await credentials()).tls;
      const foreign = {
        key: identity.key,
        cert: await issue(identity),
        ca: [cert, ca].flat() as string[],
      };
      return caller(fixture, (given) =>
        createTransport('tcp://127.0.0.1:0', { ...given, backends: [tcp({ tls: foreign })] }),
      ).dial(address);
    },
    reason: 'unproven',
    cause: 'bad_certificate',
  },
  {
    title: 'plain TCP against TLS',
    carrier: tls,
    come: async (fixture, address) => caller(fixture, overTcp).dial(address),
    reason: 'incompatible',
    cause: 'wrong_preamble',
  },
  {
    title: 'plain TCP against noise',
    carrier: noise,
    come: async (fixture, address) => caller(fixture, overTcp).dial(address),
    reason: 'incompatible',
    cause: 'wrong_preamble',
  },
  {
    title: 'noise against plain TCP',
    carrier: plain,
    come: async (fixture, address) =>
      caller(fixture, noise.make(await credentials())).dial(address),
    reason: 'incompatible',
    cause: 'wrong_preamble',
  },
  {
    title: 'a node that noise does not allow',
    carrier: {
      ...noise,
      make:
        ({ identity }) =>
        (given) =>
          new NetworkTransport({
            ...given,
            stream: createNoiseStreamLayer(createTcpStreamLayer({ clock: given.clock }), {
              identity,
              clock: given.clock!,
              allow: [],
            }),
          }),
    },
    come: async (fixture, address) =>
      caller(fixture, noise.make(await credentials())).dial(address),
    reason: 'denied',
    cause: 'denied',
  },
  {
    title: 'HTTP against plain TCP',
    carrier: plain,
    come: (_, address) => shout(address, 'GET / HTTP/1.1\r\n\r\n'),
    reason: 'incompatible',
    cause: 'wrong_preamble',
  },
  {
    title: 'HTTP against plain WebSocket, without an upgrade',
    carrier: carriers.find(({ name }) => name === 'WebSocket')!,
    come: (_, address) => shout(address, 'TRKL no HTTP at all\r\n\r\n'),
    reason: 'incompatible',
    cause: 'wrong_preamble',
  },
  {
    title: 'a connection that ends before its hello',
    carrier: plain,
    come: (_, address) => shout(address, ''),
    reason: 'failed',
    cause: 'reset',
  },
  {
    title: "a node that the transport's own admit refuses",
    carrier: plain,
    options: {
      admit() {
        throw new Error('not today');
      },
    },
    come: async (fixture, address) => caller(fixture, overTcp).dial(address),
    reason: 'filtered',
    cause: 'refused',
  },
  {
    title: 'one connection more than limits.connections',
    carrier: plain,
    options: { limits: { connections: 1 } },
    come: async (fixture, address) => {
      await caller(fixture, overTcp).dial(address);
      return caller(fixture, overTcp).dial(address);
    },
    reason: 'full',
    cause: 'full',
  },
];

for (const { title, carrier, options = {}, come, reason, cause } of cases) {
  test(`a refused node is reported once: ${title}`, async (t) => {
    const fixture = new RealFixture(t);
    const a = await fixture.node('a', {
      transport: options,
      peers: passive,
      make: carrier.make(await credentials()),
    });
    await t.throwsAsync(
      fixture.settle(come(fixture, a.address)),
      undefined,
      'the caller was refused',
    );
    await fixture.until("a emits 'rejected'", () => emitted(a, 'rejected').length > 0, 10_000);
    await fixture.run(1_000);
    t.deepEqual(
      emitted(a, 'rejected').map((event) => [event.reason, event.direction, event.error.reason]),
      [[reason, 'in', cause]],
    );
    t.is(typeof emitted(a, 'rejected')[0]!.endpoint, 'string');
    t.deepEqual([a.peers.list(), emitted(a, 'up'), emitted(a, 'down')], [[], [], []]);
    t.deepEqual(await fixture.close(), []);
  });
}

test('a refused node whose hello was read is reported with its id and its advertised address', async (t) => {
  const fixture = new RealFixture(t);
  const a = await fixture.node('a', { peers: { ...passive, maxInbound: 0 } });
  const b = await fixture.node('b', { peers: { ...passive, persistent: [a.address] } });
  await fixture.until("a emits 'rejected'", () => emitted(a, 'rejected').length > 0);
  const [{ reason, direction, nodeId, addr, endpoint, remote }] = emitted(a, 'rejected') as [
    ReturnType<typeof emitted<'rejected'>>[0],
  ];
  t.deepEqual(
    [reason, direction, nodeId, addr, endpoint],
    ['full', 'in', b.nodeId, b.address, remote!.endpoint],
  );
  t.deepEqual(await fixture.close(), []);
});

for (const carrier of carriers.filter(({ proves }) => proves)) {
  test(`over ${carrier.name}, of two live nodes with one key the replaced one is refused for 30 s, and reported once`, async (t) => {
    const fixture = new RealFixture(t);
    const { a, older, newer, first } = await nodesWithOneKey(fixture, carrier);
    await fixture.until(
      'the second node has replaced the first',
      () => emitted(a, 'down').length === 1,
    );
    const second = a.peers.get(newer.nodeId)!.instance;
    await fixture.until(
      'the first node was rejected once',
      () => emitted(a, 'rejected').length === 1,
    );
    const [twin] = emitted(a, 'rejected');
    t.deepEqual(
      [twin!.reason, twin!.direction, twin!.nodeId, twin!.error.reason],
      ['twin', 'in', older.nodeId, 'duplicate'],
    );
    t.true(
      twin!.error.message.includes(first) &&
        twin!.error.message.includes('two running nodes have the same key'),
      twin!.error.message,
    );
    await fixture.run(27_000);
    t.deepEqual(
      [
        emitted(a, 'rejected').length,
        emitted(a, 'down').length,
        a.peers.get(newer.nodeId)!.instance,
      ],
      [1, 1, second],
    );
    t.true(
      emitted(older, 'rejected').length > 10,
      'it keeps dialing, and gets the reason each time',
    );
    t.regex(emitted(older, 'rejected')[0]!.error.message, /two running nodes have the same key/);
    t.is(await fixture.settle(a.transport.send(`node:${newer.nodeId}`, 'say', 'hi')), 'newer: hi');
    // After that, it is judged like any other instance, and the other instance becomes the twin.
    await fixture.until(
      'the first node is admitted again',
      () => emitted(a, 'down').length === 2,
      10_000,
    );
    t.is(a.peers.get(older.nodeId)!.instance, first);
    await fixture.until('the second node was rejected', () => emitted(a, 'rejected').length === 2);
    await fixture.run(20_000);
    t.deepEqual(
      [emitted(a, 'rejected').map(({ reason }) => reason), emitted(a, 'down').length],
      [['twin', 'twin'], 2],
    );
    t.deepEqual(await fixture.close(), []);
  });

  test(`over ${carrier.name}, a replaced node may reconnect once the other is gone`, async (t) => {
    const fixture = new RealFixture(t);
    const { a, older, newer, first } = await nodesWithOneKey(fixture, carrier);
    await fixture.until(
      'the first node was rejected once',
      () => emitted(a, 'rejected').length === 1,
    );
    await fixture.settle(newer.close());
    await fixture.until(
      'the first node is a peer again',
      () => a.peers.get(older.nodeId)?.instance === first,
      5_000,
    );
    t.deepEqual(await fixture.close(), []);
  });
}

/** Starts a node, and two others with the same key, one after the other, that dial it. */
async function nodesWithOneKey(fixture: RealFixture, carrier: (typeof carriers)[number]) {
  const theirs = await credentials();
  const a = await fixture.node('a', { peers: passive, make: carrier.make(await credentials()) });
  const persistent = {
    ...passive,
    persistent: [a.address],
    reconnect: { initialBackoff: 1_000, maxBackoff: 1_000 },
  };
  const older = await fixture.node('older', { peers: persistent, make: carrier.make(theirs) });
  await fixture.until('the first node is a peer', () => a.peers.get(older.nodeId) !== undefined);
  const first = a.peers.get(older.nodeId)!.instance;
  const newer = await fixture.node('newer', { peers: persistent, make: carrier.make(theirs) });
  return { a, older, newer, first };
}

/** Sends text over bare TCP and ends; rejects when the other end has closed. */
function shout(address: string, text: string): Promise<never> {
  const { host } = new URL(address);
  const at = host.lastIndexOf(':');
  return new Promise((_, reject) => {
    const socket = connect({ host: host.slice(0, at), port: Number(host.slice(at + 1)) });
    socket.on('error', () => {}).on('close', () => reject(new Error('the other end has closed')));
    socket.end(text);
    socket.resume();
  });
}
