// Tests of the address book as the program reads it, and of the settings that it changes at run
// time.

import test from 'ava';
import type { PeersOptions } from './options.ts';
import { cluster, connected, idOf, type TestNode } from './testing/cluster.ts';
import { eventsOf, runs, simulationOf } from './testing/runs.ts';

const quiet: Partial<PeersOptions> = { maxOutbound: 0, exchange: { enabled: false } };
const fast = { initialBackoff: 200, maxBackoff: 200 };

/** Boots 'a', and other nodes that stay connected to it. */
function around(
  run: ReturnType<typeof runs>[number],
  others: readonly string[],
  options: Partial<PeersOptions> = {},
) {
  const sim = simulationOf(run);
  const names = ['a', ...others];
  const nodes = cluster(sim, names, {
    peers: (name) =>
      name === 'a' ? { ...quiet, ...options } : { ...quiet, persistent: ['a'], reconnect: fast },
    durable: false,
  });
  const a = (): TestNode => nodes.get('a')!;
  return { sim, names, nodes, a, there: () => connected(a(), names) };
}

test.serial('book() lists what is known of each address as plain records', async (t) => {
  for (const run of runs(2)) {
    const { sim, nodes, a } = around(run, ['b']);
    await sim.until(() => nodes.size === 2 && a().peers.list().length === 1, 10_000);
    const { peers, transport } = a();
    t.true(peers.learn(idOf('lost'), 'lost', idOf('b')));
    await t.throwsAsync(sim.settle(transport.dial(`node:${idOf('lost')}`)));
    peers.update({ privateIds: [idOf('lost')] });
    const records = new Map([...peers.book()].map((record) => [record.nodeId, record]));
    t.deepEqual([...records.keys()].sort(), [idOf('b'), idOf('lost')].sort(), run.name);
    const lost = records.get(idOf('lost'))!;
    t.deepEqual(
      { ...lost, lastAttempt: typeof lost.lastAttempt },
      {
        nodeId: idOf('lost'),
        address: 'lost',
        tried: false,
        failures: 1,
        lastAttempt: 'number',
        lastSuccess: undefined,
        source: lost.source,
      },
    );
    peers.ban(idOf('lost'));
    t.deepEqual(
      [...peers.book()].map(({ nodeId }) => nodeId),
      [idOf('b')],
      'a banned node leaves it',
    );
    t.is([...peers.book()].length, peers.snapshot().book.size);
    t.deepEqual(await sim.close(), []);
  }
});

test.serial(
  'a lower maxInbound disconnects the peers that came last, and a higher one lets them return',
  async (t) => {
    for (const run of runs(2)) {
      const { sim, a, there } = around(run, ['b', 'c', 'd', 'e'], { unconditional: [idOf('e')] });
      await sim.until(() => a()?.peers.list().length === 4, 10_000);
      const [first] = a()
        .peers.list()
        .filter(({ nodeId }) => nodeId !== idOf('e'));
      a().peers.update({ maxInbound: 1 });
      await sim.until(() => a().peers.list().length === 2, 10_000);
      await sim.run(5_000);
      t.deepEqual(
        there().map(idOf).sort(),
        [first!.nodeId, idOf('e')].sort(),
        `${run.name}: the oldest and the unconditional one`,
      );
      t.true(eventsOf(a(), 'rejected').some(({ reason }) => reason === 'full'));
      a().peers.update({ maxInbound: 3 });
      await sim.until(() => a().peers.list().length === 4, 10_000);
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'a node that becomes unconditional is admitted beyond maxInbound, and counts again when it is removed',
  async (t) => {
    for (const run of runs(2)) {
      const { sim, nodes, a, there } = around(run, ['b', 'c'], { maxInbound: 1 });
      await sim.until(() => nodes.size === 3 && a().peers.list().length === 1, 10_000);
      await sim.run(2_000);
      const [inside] = there();
      const outside = inside === 'b' ? 'c' : 'b';
      a().peers.update({ unconditional: [idOf(outside)] });
      await sim.until(() => there().length === 2, 10_000);
      a().peers.update({ unconditional: [] });
      await sim.until(() => there().length === 1, 10_000);
      await sim.run(2_000);
      t.deepEqual(there(), [inside], `${run.name}: the one that came last is disconnected`);
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'with membership by list, unconditional nodes are listed while they are set',
  async (t) => {
    for (const run of runs(2)) {
      const { sim, nodes, a, there } = around(run, ['b'], { membership: 'listed' });
      await sim.until(() => nodes.size === 2, 10_000);
      await sim.run(2_000);
      t.deepEqual(there(), []);
      a().peers.update({ unconditional: [idOf('b')] });
      await sim.until(() => there().length === 1, 10_000);
      a().peers.update({ unconditional: [] });
      await sim.until(() => there().length === 0, 10_000);
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial('privateIds apply from the moment they are set', async (t) => {
  for (const run of runs(2)) {
    const { sim, nodes, a } = around(run, ['b']);
    await sim.until(() => nodes.size === 2 && a().peers.list().length === 1, 10_000);
    const { peers } = a();
    peers.learn(idOf('x'), 'x', idOf('b'));
    t.deepEqual([peers.known(), peers.addressOf(idOf('x')) === undefined], [[idOf('x')], false]);
    peers.update({ privateIds: [idOf('x')] });
    t.deepEqual([peers.known(), peers.addressOf(idOf('x'))], [[], undefined]);
    peers.update({ maxInbound: 9 });
    t.is(peers.addressOf(idOf('x')), undefined, 'what is left out stays');
    peers.update({ privateIds: [] });
    t.deepEqual(peers.known(), [idOf('x')]);
    t.deepEqual(await sim.close(), []);
  }
});

test.serial('invalid settings throw a TypeError, and change nothing', async (t) => {
  const { sim, nodes, a } = around(runs(1)[0]!, ['b']);
  await sim.until(() => nodes.size === 2 && a().peers.list().length === 1, 10_000);
  for (const [given, message] of [
    [{ maxInbound: -1 }, /^peers\.update: maxInbound: /],
    [{ maxInbound: 0, unconditional: ['B'] }, /^peers\.update: unconditional: .*node ids/],
    [{ maxOutbound: 3 }, /^peers\.update: .*maxOutbound/],
  ] as const)
    t.throws(() => a().peers.update(given as object), { instanceOf: TypeError, message });
  await sim.run(1_000);
  t.is(a().peers.list().length, 1);
  t.deepEqual(await sim.close(), []);
});
