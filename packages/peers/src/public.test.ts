// Tests of the option `addresses`: addresses from other nodes lead only to the public network,
// regardless of the answers of name servers. Addresses from the operator are trusted.

import { createSimulation, type SimTransportOptions } from '@trunkline/simulation';
import test from 'ava';
import type { PeersOptions } from './options.ts';
import { cluster, idOf, isLinked, type TestNode } from './testing/cluster.ts';
import { rawPeer } from './testing/raw-peer.ts';
import { eventsOf } from './testing/runs.ts';

const SEED = '8.8.4.4:7000';
/** Public addresses of the simulated machines. No packet leaves the simulation. */
const PLACES: Readonly<Record<string, string>> = {
  [SEED]: 's',
  '8.8.8.8:7000': 'b',
  '[2600:1f18::b]:7000': 'b',
  '10.0.0.9:7000': 'inner',
};
/** Addresses to which a node must never connect when another node has reported them. */
const FORBIDDEN = [
  '10.0.0.9',
  '172.16.3.4',
  '192.168.1.1',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.254',
  '0.0.0.0',
  '169.254.1.1',
  '169.254.169.254',
  '100.100.100.200',
  '224.0.0.1',
  '255.255.255.255',
  '192.0.2.1',
  '::',
  '::1',
  'fe80::1',
  'fd00::1',
  'fd00:ec2::254',
  'ff02::1',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.9',
  '64:ff9b::a9fe:a9fe',
  '2002:a00:9::1',
];

interface SceneOptions {
  /** The addresses that the seed sends besides its own. */
  readonly told?: readonly { readonly nodeId: string; readonly address: string }[];
  /** Resolves a name. Without it, the node has no `lookup`. */
  readonly names?: (host: string, times: number) => readonly string[] | Promise<readonly string[]>;
  readonly peers?: Partial<PeersOptions>;
  readonly mode?: 'any' | 'public';
}

/**
 * Starts a node, the seed that sends it addresses, a node at a public address, and one at a private
 * address.
 */
async function scene({ told = [], names, peers = {}, mode = 'public' }: SceneOptions) {
  const sim = createSimulation({ seed: 1, link: { latency: [1, 20] } });
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
  const nodes = cluster(sim, ['b', 'inner', 'a'], {
    transport: (name): SimTransportOptions => (name === 'a' ? { resolve } : {}),
    peers: (name) =>
      name !== 'a'
        ? { maxOutbound: 0 }
        : { addresses: mode, seeds: [SEED], ...(names === undefined ? {} : { lookup }), ...peers },
    durable: false,
  });
  await sim.until(() => nodes.size === 3);
  return { sim, a: nodes.get('a')!, dialed, asked };
}

const failures = (node: TestNode) =>
  eventsOf(node, 'rejected').map(({ error, addr }) => ({
    code: error.code,
    addr,
    message: error.message,
  }));

test.serial(
  'addresses that others sent are dialed in public mode only if they are public; a private network dials its own, too',
  async (t) => {
    const told = FORBIDDEN.map((ip, i) => ({
      nodeId: idOf(`n${i}`),
      address: ip.includes(':') ? `[${ip}]:7000` : `${ip}:7000`,
    }));
    const { sim, a, dialed } = await scene({
      told: [...told, { nodeId: idOf('b'), address: '8.8.8.8:7000' }],
      peers: { maxOutbound: 100 },
    });
    await sim.until(() => isLinked(a, 'b'), 30_000);
    await sim.run(600_000);
    t.deepEqual([...new Set(dialed)], ['8.8.8.8:7000']);
    t.is(a.peers.snapshot().book.size, 2, 'they are not even remembered');
    t.deepEqual(await sim.close(), []);

    const any = await scene({ told, mode: 'any', peers: { maxOutbound: 100 } });
    await any.sim.until(() => any.dialed.includes('10.0.0.9:7000'), 30_000);
    await any.sim.run(600_000);
    const never = [
      '0.0.0.0',
      '169.254.169.254',
      '100.100.100.200',
      '224.0.0.1',
      '255.255.255.255',
      '::',
      'fd00:ec2::254',
      'ff02::1',
      'fe80::1',
      '64:ff9b::a9fe:a9fe',
    ];
    for (const ip of never)
      t.false(
        any.dialed.some((address) => address === `${ip}:7000` || address === `[${ip}]:7000`),
        `${ip}: nowhere`,
      );
    t.deepEqual(await any.sim.close(), []);
  },
);

test.serial(
  'by default, only public addresses of a node elsewhere are kept and dialed, also those that gossip learns and those of names',
  async (t) => {
    const { sim, a, dialed } = await scene({
      told: [
        { nodeId: idOf('x'), address: '127.0.0.1:7000' },
        { nodeId: idOf('y'), address: '10.0.0.9:7000' },
        { nodeId: idOf('z'), address: 'inner.example:7000' },
        { nodeId: idOf('b'), address: '8.8.8.8:7000' },
      ],
      names: () => ['10.0.0.9', '127.0.0.1'],
      peers: { addresses: undefined, maxOutbound: 100 },
    });
    await sim.until(() => isLinked(a, 'b'), 30_000);
    t.false(a.peers.learn(idOf('inner'), '10.0.0.9:7000', idOf('b')));
    t.false(a.peers.learn(idOf('inner'), 'ws://8.8.8.8:7000/admin', idOf('b')));
    await sim.run(120_000);
    t.deepEqual([...new Set(dialed)], ['8.8.8.8:7000']);
    const [failure] = failures(a).filter(({ addr }) => addr === 'tcp://inner.example:7000');
    t.regex(failure!.message, /which a peer reported.*resolves to 10\.0\.0\.9, 127\.0\.0\.1$/);
    t.deepEqual(await sim.close(), []);
  },
);

test.serial(
  'a name that resolves to a private address is not dialed: the dial fails, and the error names the address',
  async (t) => {
    const told = FORBIDDEN.map((_, i) => ({
      nodeId: idOf(`n${i}`),
      address: `n${i}.example:7000`,
    }));
    const names = (host: string) => [FORBIDDEN[Number(/\d+/.exec(host)![0])]!];
    const { sim, a, dialed, asked } = await scene({ told, names, peers: { maxOutbound: 100 } });
    await sim.until(() => new Set(asked).size === FORBIDDEN.length, 120_000);
    await sim.run(120_000);
    t.deepEqual(dialed, []);
    for (const [i, ip] of FORBIDDEN.entries()) {
      const [failure] = failures(a).filter(({ addr }) => addr === `tcp://n${i}.example:7000`);
      t.is(failure!.code, 'invalid_argument');
      t.true(
        failure!.message.includes(`n${i}.example:7000, which a peer reported`) &&
          failure!.message.endsWith(`resolves to ${ip}`),
        failure!.message,
      );
    }
    t.deepEqual(
      a.peers.list().map(({ nodeId }) => nodeId),
      [idOf('s')],
    );
    t.deepEqual(await sim.close(), []);
  },
);

test.serial(
  'of the addresses of a name, the first public one is dialed, not the name itself',
  async (t) => {
    for (const [ips, address] of [
      [['10.0.0.9', '::1', '8.8.8.8'], '8.8.8.8:7000'],
      [['fd00::1', '2600:1f18::b', '8.8.8.8'], '[2600:1f18::b]:7000'],
    ] as const) {
      const { sim, a, dialed } = await scene({
        told: [{ nodeId: idOf('b'), address: 'b.example:7000' }],
        names: () => ips,
      });
      await sim.until(() => isLinked(a, 'b'), 30_000);
      t.deepEqual(dialed, [address]);
      t.is(a.peers.get(idOf('b'))!.addr, 'tcp://b.example:7000', 'the book keeps the name');
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'a name that resolves to a public address first and a private one later never leads to the private one',
  async (t) => {
    const names = (_: string, times: number) => (times % 2 === 1 ? ['8.8.8.8'] : ['10.0.0.9']);
    // The dialed node is not b, so each dial fails, and there are many dials.
    const { sim, a, dialed, asked } = await scene({
      told: [{ nodeId: idOf('inner'), address: 'rebind.example:7000' }],
      names,
    });
    await sim.run(600_000);
    t.true(asked.length >= 6, `${asked.length} times`);
    t.is(dialed.length, Math.ceil(asked.length / 2));
    t.deepEqual([...new Set(dialed)], ['8.8.8.8:7000']);
    t.deepEqual(
      a.peers.list().map(({ nodeId }) => nodeId),
      [idOf('s')],
    );
    t.deepEqual(await sim.close(), []);
  },
);

test.serial('a name is resolved and checked again when a lost link is redialed', async (t) => {
  const { sim, a, dialed } = await scene({
    told: [{ nodeId: idOf('b'), address: 'rebind.example:7000' }],
    names: (_, times) => (times === 1 ? ['8.8.8.8'] : ['169.254.169.254']),
  });
  await sim.until(() => isLinked(a, 'b'), 30_000);
  sim.crash('b');
  await sim.run(300_000);
  t.deepEqual(dialed, ['8.8.8.8:7000']);
  t.deepEqual(await sim.close(), []);
});

test.serial(
  'where no name can be looked up, names that others sent are neither kept nor dialed',
  async (t) => {
    const { sim, a, dialed } = await scene({
      told: [{ nodeId: idOf('b'), address: 'b.example:7000' }],
    });
    await sim.run(120_000);
    t.deepEqual([dialed, a.peers.snapshot().book.size], [[], 1]);
    t.deepEqual(await sim.close(), []);
  },
);

test.serial('names that cannot be in the public DNS are not resolved', async (t) => {
  const hosts = [
    'localhost',
    'printer.local',
    'db.internal',
    'x.home.arpa',
    'x.localhost',
    'intranet',
    'metadata.google.internal',
    '0x7f.1',
    '2130706433',
    '127.1',
  ];
  const told = hosts.map((host, i) => ({ nodeId: idOf(`n${i}`), address: `${host}:7000` }));
  const { sim, a, dialed, asked } = await scene({
    told,
    names: () => ['8.8.8.8'],
    peers: { maxOutbound: 100 },
  });
  await sim.run(120_000);
  t.deepEqual([dialed, asked, a.peers.snapshot().book.size], [[], [], 1]);
  t.deepEqual(await sim.close(), []);
});

test.serial('a seed that crawls the network checks the addresses of strangers, too', async (t) => {
  const told = [
    { nodeId: idOf('inner'), address: 'inner.example:7000' },
    { nodeId: idOf('x'), address: '10.0.0.9:7000' },
    { nodeId: idOf('b'), address: 'b.example:7000' },
  ];
  const { sim, dialed } = await scene({
    told,
    names: (host) => [host === 'b.example' ? '8.8.8.8' : '10.0.0.9'],
    peers: { exchange: { seed: true }, persistent: [SEED] },
  });
  await sim.run(600_000);
  t.deepEqual([...new Set(dialed)], ['8.8.8.8:7000']);
  t.deepEqual(await sim.close(), []);
});

test.serial(
  'a lookup that fails, hangs or returns nonsense affects only its own name',
  async (t) => {
    const told = ['fails', 'hangs', 'nonsense', 'none', 'many', 'b'].map((name) => ({
      nodeId: idOf(name),
      address: `${name}.example:7000`,
    }));
    const { sim, a, dialed, asked } = await scene({
      told,
      names(host) {
        if (host === 'fails.example') throw new Error('no name server');
        if (host === 'hangs.example') return new Promise(() => {});
        if (host === 'nonsense.example')
          return ['8.8.8.8:22', '8.8.8.8/x', 'inner', '10.0.0.9', '', 'x@8.8.8.8'];
        if (host === 'none.example') return [];
        if (host === 'many.example')
          return [...Array.from({ length: 16 }, () => '10.0.0.9'), '8.8.8.8'];
        return ['8.8.8.8'];
      },
      peers: { maxOutbound: 100 },
    });
    await sim.until(() => isLinked(a, 'b'), 30_000);
    await sim.run(70_000);
    t.deepEqual([...new Set(dialed)], ['8.8.8.8:7000']);
    const of = (name: string) =>
      failures(a).find(({ addr }) => addr === `tcp://${name}.example:7000`)!;
    t.deepEqual(
      ['fails', 'hangs', 'nonsense', 'none', 'many'].map((name) => of(name).code),
      ['unavailable', 'unavailable', 'invalid_argument', 'invalid_argument', 'invalid_argument'],
    );
    t.regex(of('fails').message, /no name server/);
    t.regex(of('hangs').message, /60000 ms/);
    t.regex(of('none').message, /resolves to nothing/);
    t.true(
      asked.filter((host) => host === 'hangs.example').length <= 3,
      'it is not retried for a while',
    );
    t.deepEqual(await sim.close(), []);
  },
);

test.serial(
  'persistent peers and seeds are trusted: they are dialed at any address, without a lookup of their names',
  async (t) => {
    const { sim, a, dialed, asked } = await scene({
      names: () => ['8.8.8.8'],
      peers: {
        persistent: [`${idOf('inner')}@10.0.0.9:7000`, 'b.internal:7000'],
        seeds: ['127.0.0.1:7000', 'seed.internal:7000'],
      },
    });
    await sim.until(() => isLinked(a, 'inner'), 10_000);
    await sim.run(60_000);
    t.deepEqual([...new Set(dialed)].sort(), [
      '10.0.0.9:7000',
      '127.0.0.1:7000',
      'b.internal:7000',
      'seed.internal:7000',
    ]);
    t.deepEqual(asked, []);
    t.deepEqual(await sim.close(), []);
  },
);

test.serial(
  'a call by id may go to any address that the operator gave, but only to public ones that others sent',
  async (t) => {
    const { sim, a, dialed } = await scene({
      told: [{ nodeId: idOf('b'), address: 'b.example:7000' }],
      names: () => ['10.0.0.9'],
      peers: {
        persistent: [`${idOf('inner')}@10.0.0.9:7000`],
        maxOutbound: 1,
        locate: (nodeId) => (nodeId === idOf('c') ? '192.168.7.7:7000' : undefined),
      },
    });
    await sim.until(() => isLinked(a, 'inner') && a.peers.snapshot().book.size >= 2, 60_000);
    const say = (name: string) =>
      sim.settle(a.transport.send(`node:${idOf(name)}`, 'say', 'hello'));
    void a.transport.disconnect(a.peers.get(idOf('inner'))!.remote).catch(() => {});
    await sim.until(() => !isLinked(a, 'inner'), 5_000);
    dialed.length = 0;
    t.is(await say('inner'), 'inner: hello');
    t.deepEqual([...new Set(dialed)], ['10.0.0.9:7000']);
    dialed.length = 0;
    await t.throwsAsync(say('b'), {
      message: /b\.example:7000, which a peer reported.*resolves to 10\.0\.0\.9/,
    });
    t.deepEqual(dialed, []);
    // An address from the user's `locate` is trusted.
    await t.throwsAsync(say('c'), { message: /192-168-7-7/ });
    t.deepEqual(dialed, ['192.168.7.7:7000']);
    t.deepEqual(await sim.close(), []);
  },
);
