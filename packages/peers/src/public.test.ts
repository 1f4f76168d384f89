// Tests of the option `addresses`: addresses from other nodes lead only to the public network,
// regardless of the answers of name servers. Addresses from the operator are trusted.

import type { SimTransportOptions, Simulation } from '@trunkline/simulation';
import type { PeersOptions } from './options.ts';
import { boot, idOf, isLinked, type TestNode } from './testing/cluster.ts';
import { entry, rawPeer } from './testing/raw-peer.ts';
import { eventsOf, test } from './testing/runs.ts';

const SEED = '8.8.4.4:7000';
/** Public addresses of the simulated machines. No packet leaves the simulation. */
const PLACES: Readonly<Record<string, string>> = {
  [SEED]: 's',
  '8.8.8.8:7000': 'b',
  '[2600:1f18::b]:7000': 'b',
  '10.0.0.9:7000': 'inner',
};
/** Addresses to which a node never connects when another node has reported them. */
const NOWHERE =
  `0.0.0.0 169.254.169.254 100.100.100.200 224.0.0.1 255.255.255.255 :: fd00:ec2::254 ff02::1
  fe80::1 64:ff9b::a9fe:a9fe`.split(/\s+/);
/** Addresses to which it connects only in a network that has such addresses itself. */
const INNER =
  `10.0.0.9 172.16.3.4 192.168.1.1 100.64.0.1 127.0.0.1 127.255.255.254 169.254.1.1 192.0.2.1
  ::1 fd00::1 ::ffff:127.0.0.1 ::ffff:10.0.0.9 2002:a00:9::1`.split(/\s+/);
const FORBIDDEN = [...INNER, ...NOWHERE];
const at = (ip: string) => (ip.includes(':') ? `[${ip}]:7000` : `${ip}:7000`);

interface SceneOptions {
  /** The addresses that the seed sends besides its own. */
  readonly told?: readonly { readonly nodeId: string; readonly address: string }[];
  /** Resolves a name. Without it, the node has no `lookup`. */
  readonly names?: (host: string, times: number) => readonly string[] | Promise<readonly string[]>;
  readonly peers?: Partial<PeersOptions>;
}

/**
 * Starts a node, the seed that sends it addresses, a node at a public address, and one at a private
 * address.
 */
async function scene(sim: Simulation, { told = [], names, peers = {} }: SceneOptions) {
  /** The addresses that a's transport dialed, except its seed's. */
  const dialed: string[] = [];
  /** Names that were looked up. */
  const asked: string[] = [];
  const lookup = async (host: string) => {
    asked.push(host);
    return names!(host, asked.filter((each) => each === host).length);
  };
  const resolve = (address: string) => {
    if (address !== SEED) dialed.push(address);
    return PLACES[address] ?? `nobody-at-${address.replace(/\W/g, '-')}`;
  };
  const seed = rawPeer(sim, 's', { answer: () => told });
  await sim.settle(seed.transport.listen());
  const [, , a] = await boot(sim, ['b', 'inner', 'a'], {
    transport: (name): SimTransportOptions => (name === 'a' ? { resolve } : {}),
    peers: (name) =>
      name === 'a'
        ? {
            addresses: 'public',
            seeds: [SEED],
            maxOutbound: 100,
            ...(names === undefined ? {} : { lookup }),
            ...peers,
          }
        : { maxOutbound: 0 },
    durable: false,
  });
  return { a, dialed, asked, distinct: () => [...new Set(dialed)].sort() };
}

/** Returns an entry whose address is a name. */
const exampleOf = (name: string) => entry(name, `${name}.example:7000`);
const failureAt = (node: TestNode, address: string) =>
  eventsOf(node, 'rejected').find(({ addr }) => addr === `tcp://${address}`)!.error;
const idsOf = ({ peers }: TestNode) => peers.list().map(({ nodeId }) => nodeId);

test('addresses that others sent are dialed in public mode only if they are public; a private network dials its own, too', async (t, sim) => {
  const told = FORBIDDEN.map((ip, i) => entry(`n${i}`, at(ip)));
  const { a, distinct } = await scene(sim, { told: [...told, entry('b', '8.8.8.8:7000')] });
  await sim.until(() => isLinked(a, 'b'), 30_000);
  await sim.run(600_000);
  t.deepEqual(distinct(), ['8.8.8.8:7000']);
  t.is(a.peers.snapshot().book.size, 2, 'they are not even remembered');
});

test('by default, only public addresses of a node elsewhere are kept and dialed, also those that gossip learns and those of names', async (t, sim) => {
  const { a, distinct } = await scene(sim, {
    told: [
      entry('x', '127.0.0.1:7000'),
      entry('y', '10.0.0.9:7000'),
      entry('z', 'inner.example:7000'),
      entry('b', '8.8.8.8:7000'),
    ],
    names: () => ['10.0.0.9', '127.0.0.1'],
    peers: { addresses: undefined },
  });
  await sim.until(() => isLinked(a, 'b'), 30_000);
  t.false(a.peers.learn(idOf('inner'), '10.0.0.9:7000', idOf('b')));
  t.false(a.peers.learn(idOf('inner'), 'ws://8.8.8.8:7000/admin', idOf('b')));
  await sim.run(120_000);
  t.deepEqual(distinct(), ['8.8.8.8:7000']);
  const { message } = failureAt(a, 'inner.example:7000');
  t.regex(message, /which a peer reported.*resolves to 10\.0\.0\.9, 127\.0\.0\.1$/);
});

test('a name that resolves to a private address is not dialed: the dial fails, and the error names the address', async (t, sim) => {
  const told = FORBIDDEN.map((_, i) => exampleOf(`n${i}`));
  const names = (host: string) => [FORBIDDEN[Number(/\d+/.exec(host)![0])]!];
  const { a, dialed, asked } = await scene(sim, { told, names });
  await sim.until(() => new Set(asked).size === FORBIDDEN.length, 120_000);
  await sim.run(120_000);
  t.deepEqual(dialed, []);
  for (const [i, ip] of FORBIDDEN.entries()) {
    const { code, message } = failureAt(a, `n${i}.example:7000`);
    t.is(code, 'invalid_argument');
    t.true(message.includes(`n${i}.example:7000, which a peer reported`), message);
    t.true(message.endsWith(`resolves to ${ip}`), message);
  }
  t.deepEqual(idsOf(a), [idOf('s')]);
});

for (const [ips, address] of [
  [['10.0.0.9', '::1', '8.8.8.8'], '8.8.8.8:7000'],
  [['fd00::1', '2600:1f18::b', '8.8.8.8'], '[2600:1f18::b]:7000'],
] as const)
  test(`of the addresses of a name, the first public one is dialed, not the name itself: ${address}`, async (t, sim) => {
    const { a, dialed } = await scene(sim, { told: [exampleOf('b')], names: () => ips });
    await sim.until(() => isLinked(a, 'b'), 30_000);
    t.deepEqual(dialed, [address]);
    t.is(a.peers.get(idOf('b'))!.addr, 'tcp://b.example:7000', 'the book keeps the name');
  });

test('a name that resolves to a public address first and a private one later never leads to the private one', async (t, sim) => {
  // The dialed node is not b, so each dial fails, and there are many dials.
  const { a, dialed, asked, distinct } = await scene(sim, {
    told: [entry('inner', 'rebind.example:7000')],
    names: (_, times) => (times % 2 === 1 ? ['8.8.8.8'] : ['10.0.0.9']),
  });
  await sim.run(600_000);
  t.true(asked.length >= 6, `${asked.length} times`);
  t.is(dialed.length, Math.ceil(asked.length / 2));
  t.deepEqual([distinct(), idsOf(a)], [['8.8.8.8:7000'], [idOf('s')]]);
});

test('a name is resolved and checked again when a lost link is redialed', async (t, sim) => {
  const { a, dialed } = await scene(sim, {
    told: [entry('b', 'rebind.example:7000')],
    names: (_, times) => (times === 1 ? ['8.8.8.8'] : ['169.254.169.254']),
  });
  await sim.until(() => isLinked(a, 'b'), 30_000);
  sim.crash('b');
  await sim.run(300_000);
  t.deepEqual(dialed, ['8.8.8.8:7000']);
});

test('where no name can be looked up, names that others sent are neither kept nor dialed', async (t, sim) => {
  const { a, dialed } = await scene(sim, { told: [exampleOf('b')] });
  await sim.run(120_000);
  t.deepEqual([dialed, a.peers.snapshot().book.size], [[], 1]);
});

test('a seed that crawls the network checks the addresses of strangers, too', async (t, sim) => {
  const { distinct } = await scene(sim, {
    told: [exampleOf('inner'), entry('x', '10.0.0.9:7000'), exampleOf('b')],
    names: (host) => [host === 'b.example' ? '8.8.8.8' : '10.0.0.9'],
    peers: { exchange: { seed: true }, persistent: [SEED], maxOutbound: 10 },
  });
  await sim.run(600_000);
  t.deepEqual(distinct(), ['8.8.8.8:7000']);
});

test('a lookup that fails, hangs or returns nonsense affects only its own name', async (t, sim) => {
  const answers: Record<string, () => readonly string[] | Promise<readonly string[]>> = {
    fails() {
      throw new Error('no name server');
    },
    hangs: () => new Promise(() => {}),
    nonsense: () => ['8.8.8.8:22', '8.8.8.8/x', 'inner', '10.0.0.9', '', 'x@8.8.8.8'],
    none: () => [],
    many: () => [...Array.from({ length: 16 }, () => '10.0.0.9'), '8.8.8.8'],
    b: () => ['8.8.8.8'],
  };
  const { a, asked, distinct } = await scene(sim, {
    told: Object.keys(answers).map(exampleOf),
    names: (host) => answers[host.replace('.example', '')]!(),
  });
  await sim.until(() => isLinked(a, 'b'), 30_000);
  await sim.run(70_000);
  t.deepEqual(distinct(), ['8.8.8.8:7000']);
  for (const [name, code, message] of [
    ['fails', 'unavailable', /no name server/],
    ['hangs', 'unavailable', /60000 ms/],
    ['nonsense', 'invalid_argument', /resolves to/],
    ['none', 'invalid_argument', /resolves to nothing/],
    ['many', 'invalid_argument', /resolves to/],
  ] as const) {
    const error = failureAt(a, `${name}.example:7000`);
    t.is(error.code, code);
    t.regex(error.message, message);
  }
  const tries = asked.filter((host) => host === 'hangs.example').length;
  t.true(tries <= 3, 'it is not retried for a while');
});

test('persistent peers and seeds are trusted: they are dialed at any address, without a lookup of their names', async (t, sim) => {
  const persistent = [`${idOf('inner')}@10.0.0.9:7000`, 'b.internal:7000'];
  const seeds = ['127.0.0.1:7000', 'seed.internal:7000'];
  const { a, asked, distinct } = await scene(sim, {
    names: () => ['8.8.8.8'],
    peers: { persistent, seeds, maxOutbound: 10 },
  });
  await sim.until(() => isLinked(a, 'inner'), 10_000);
  await sim.run(60_000);
  t.deepEqual(distinct(), ['10.0.0.9:7000', '127.0.0.1:7000', 'b.internal:7000', seeds[1]!]);
  t.deepEqual(asked, []);
});

test('a call by id may go to any address that the operator gave, but only to public ones that others sent', async (t, sim) => {
  const { a, dialed } = await scene(sim, {
    told: [exampleOf('b')],
    names: () => ['10.0.0.9'],
    peers: {
      persistent: [`${idOf('inner')}@10.0.0.9:7000`],
      maxOutbound: 1,
      locate: (nodeId) => (nodeId === idOf('c') ? '192.168.7.7:7000' : undefined),
    },
  });
  await sim.until(() => isLinked(a, 'inner') && a.peers.snapshot().book.size >= 2, 60_000);
  const say = (name: string) => {
    dialed.length = 0;
    return sim.settle(a.transport.send(`node:${idOf(name)}`, 'say', 'hello'));
  };
  void a.transport.disconnect(a.peers.get(idOf('inner'))!.remote).catch(() => {});
  await sim.until(() => !isLinked(a, 'inner'), 5_000);
  t.is(await say('inner'), 'inner: hello');
  t.deepEqual([...new Set(dialed)], ['10.0.0.9:7000']);
  await t.throwsAsync(say('b'), {
    message: /b\.example:7000, which a peer reported.*resolves to 10\.0\.0\.9/,
  });
  t.deepEqual(dialed, []);
  // An address from the user's `locate` is trusted.
  await t.throwsAsync(say('c'), { message: /192-168-7-7/ });
  t.deepEqual(dialed, ['192.168.7.7:7000']);
});
