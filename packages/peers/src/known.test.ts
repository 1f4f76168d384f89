// Tests of the address book as other protocols on the same node use it: `known`, `addressOf` and
// `learn`.

import type { TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { cluster, idOf, type TestNode } from './testing/cluster.ts';
import { runs, simulationOf } from './testing/runs.ts';

const quiet = { maxOutbound: 0, exchange: { enabled: false } } as const;

async function meet(
  run: ReturnType<typeof runs>[number],
  names: readonly string[],
  given: (name: string) => object,
) {
  const sim = simulationOf(run);
  const nodes = cluster(sim, names, { peers: (name) => ({ ...quiet, ...given(name) }) });
  await sim.until(() => nodes.size === names.length, 10_000);
  return { sim, nodes, node: (name: string): TestNode => nodes.get(name)! };
}

test.serial(
  'known() returns nodes that are not connected, recently reached ones first, without private and banned ones',
  async (t) => {
    for (const run of runs(2)) {
      const others = Array.from({ length: 12 }, (_, i) => `o${i}`);
      const { sim, node } = await meet(run, ['a', 'b', ...others], (name) =>
        name === 'a' ? { persistent: ['b'], privateIds: [idOf('o9')] } : {},
      );
      await sim.until(() => node('a').peers.list().length === 1, 10_000);
      t.deepEqual(node('a').peers.known(), [], run.name);
      for (const name of others) node('a').peers.learn(idOf(name), name, idOf('b'));
      for (const name of others.slice(0, 6))
        await sim.settle(node('a').transport.dial(`node:${idOf(name)}`));
      for (const { nodeId, remote } of node('a').peers.list())
        if (nodeId !== idOf('b')) await sim.settle(node('a').transport.disconnect(remote));
      node('a').peers.ban(idOf('o8'));
      await sim.run(1_000);
      const known = node('a').peers.known(20);
      const expected = others.filter((name) => name !== 'o8' && name !== 'o9').map(idOf);
      t.deepEqual([...known].sort(), expected.sort(), run.name);
      t.deepEqual(
        known.slice(0, 6).sort(),
        others.slice(0, 6).map(idOf).sort(),
        `${run.name}: those that a dial reached`,
      );
      t.is(node('a').peers.known(2).length, 2);
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial('known() with an invalid count throws a TypeError', async (t) => {
  const { sim, node } = await meet(runs(1)[0]!, ['a'], () => ({}));
  for (const count of [0, 1.5, 251, Number.NaN])
    t.throws(() => node('a').peers.known(count), {
      instanceOf: TypeError,
      message: /peers\.known: count/,
    });
  t.deepEqual(await sim.close(), []);
});

test.serial(
  'learn() keeps an address from another protocol as reported by that peer and dials it by id; addressOf() shares it',
  async (t) => {
    for (const run of runs(2)) {
      const { sim, node } = await meet(run, ['a', 'b', 'c'], (name) =>
        name === 'a' ? { persistent: ['b'] } : {},
      );
      const { peers, transport } = node('a');
      t.false(peers.learn(idOf('c'), 'c', idOf('b')), 'b is not connected yet');
      await sim.until(() => peers.list().length === 1, 10_000);
      t.is(peers.addressOf(idOf('c')), undefined);
      t.true(peers.learn(idOf('c'), 'c', idOf('b')), run.name);
      t.is(peers.addressOf(idOf('c')), 'c');
      t.is(peers.snapshot().book.fresh, 1);
      await sim.settle(transport.dial(`node:${idOf('c')}`));
      t.is(peers.get(idOf('c'))?.addr, 'c');
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'learn() never throws, whatever a peer sends; malformed, banned, private, own and private-network entries are refused',
  async (t) => {
    const { sim, node } = await meet(runs(1)[0]!, ['a', 'b'], (name) =>
      name === 'a' ? { persistent: ['b'], addresses: 'public', privateIds: [idOf('p')] } : {},
    );
    const { peers } = node('a');
    await sim.until(() => peers.list().length === 1, 10_000);
    peers.ban(idOf('banned'));
    const size = peers.snapshot().book.size;
    const refused: [unknown, unknown][] = [
      ...[undefined, null, 7, {}, '', 'zz', idOf('x').toUpperCase()].map(
        (nodeId): [unknown, unknown] => [nodeId, '8.8.8.8:1'],
      ),
      ...[
        undefined,
        null,
        7,
        {},
        '',
        '8.8.8.8:0',
        '0.0.0.0:1',
        'x@y',
        'a\nb',
        `${'x'.repeat(300)}:1`,
        '10.0.0.1:1',
      ].map((address): [unknown, unknown] => [idOf('x'), address]),
      [idOf('banned'), '8.8.8.8:1'],
      [idOf('p'), '8.8.8.8:1'],
      [idOf('a'), '8.8.8.8:1'],
    ];
    for (const [nodeId, address] of refused)
      t.false(
        peers.learn(nodeId as string, address as string, idOf('b')),
        `${String(nodeId)} ${String(address)}`,
      );
    t.false(peers.learn(idOf('x'), '8.8.8.8:1', 'nobody'));
    t.is(peers.snapshot().book.size, size);
    t.true(peers.learn(idOf('x'), '8.8.8.8:1', idOf('b')));
    t.deepEqual(await sim.close(), []);
  },
);

test.serial('a call to a node whose address is unknown fails as unreachable', async (t) => {
  const { sim, node } = await meet(runs()[0]!, ['a'], () => ({}));
  const error = await t.throwsAsync<TransportError>(
    sim.settle(node('a').transport.send(`node:${idOf('b')}`, 'say', 'x')),
  );
  t.like(error, { code: 'unavailable', sent: false, unreachable: true });
  t.deepEqual(await sim.close(), []);
});

test.serial(
  'a `locate` that does not answer fails the call after a minute, and is asked again',
  async (t) => {
    let asked = 0;
    const locate = () => (asked++ === 0 ? new Promise<never>(() => {}) : 'b');
    const { sim, node } = await meet(runs()[0]!, ['a', 'b'], () => ({ locate }));
    const say = () =>
      sim.settle(node('a').transport.send(`node:${idOf('b')}`, 'say', 'x', { timeout: 90_000 }));
    await t.throwsAsync(say(), { message: /'locate' failed: it did not answer within 60000 ms/ });
    t.is(await say(), 'b: x');
    t.deepEqual(await sim.close(), []);
  },
);

test.serial('addressOf() returns undefined for private nodes', async (t) => {
  const { sim, node } = await meet(runs(1)[0]!, ['a', 'b', 'c'], (name) =>
    name === 'a' ? { persistent: ['b', 'c'], privateIds: [idOf('c')] } : {},
  );
  await sim.until(() => node('a').peers.list().length === 2, 10_000);
  t.is(node('a').peers.addressOf(idOf('b')), 'b');
  t.is(node('a').peers.addressOf(idOf('c')), undefined);
  t.is(node('a').peers.addressOf('what'), undefined);
  t.deepEqual(await sim.close(), []);
});
