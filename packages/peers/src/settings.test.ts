// Tests of the address book as the program reads it, and of the settings that it changes at run
// time.

import type { Simulation } from '@trunkline/simulation';
import type { PeersOptions } from './options.ts';
import { boot, connected, idOf, passive } from './testing/cluster.ts';
import { rejections, test } from './testing/runs.ts';

const quiet: Partial<PeersOptions> = { ...passive, exchange: { enabled: false } };
const dialer = { persistent: ['a'], reconnect: { initialBackoff: 200, maxBackoff: 200 } };

/** Boots 'a', and other nodes that dial it; waits until `count` of these are its peers. */
async function around(
  sim: Simulation,
  others: readonly string[],
  options: Partial<PeersOptions> = {},
  count = others.length,
) {
  const names = ['a', ...others];
  const [a] = await boot(sim, names, {
    peers: (name) => ({ ...quiet, ...(name === 'a' ? options : dialer) }),
    durable: false,
  });
  const { peers, transport } = a!;
  const isSize = (count: number) => sim.until(() => peers.list().length === count, 10_000);
  await isSize(count);
  return { peers, transport, isSize, there: () => connected(a!, names), node: a! };
}

test('book() lists what is known of each address as plain records', async (t, sim) => {
  const { peers, transport } = await around(sim, ['b']);
  t.true(peers.learn(idOf('lost'), 'lost', idOf('b')));
  await t.throwsAsync(sim.settle(transport.dial(`node:${idOf('lost')}`)));
  peers.update({ privateIds: [idOf('lost')] });
  const records = new Map([...peers.book()].map((record) => [record.nodeId, record]));
  t.deepEqual([...records.keys()].sort(), [idOf('b'), idOf('lost')].sort());
  const { lastAttempt, source, ...lost } = records.get(idOf('lost'))!;
  t.deepEqual([typeof lastAttempt, typeof source], ['number', 'string']);
  const unreached = { tried: false, failures: 1, lastSuccess: undefined };
  t.deepEqual(lost, { nodeId: idOf('lost'), address: 'lost', ...unreached });
  peers.ban(idOf('lost'));
  const ids = [...peers.book()].map(({ nodeId }) => nodeId);
  t.deepEqual(ids, [idOf('b')], 'a banned node leaves it');
  t.is(ids.length, peers.snapshot().book.size);
});

test('a lower maxInbound disconnects the peers that came last, and a higher one lets them return', async (t, sim) => {
  const options = { unconditional: [idOf('e')] };
  const { peers, isSize, there, node } = await around(sim, ['b', 'c', 'd', 'e'], options);
  const first = peers.list().find(({ nodeId }) => nodeId !== idOf('e'))!;
  peers.update({ maxInbound: 1 });
  await isSize(2);
  await sim.run(5_000);
  const left = there().map(idOf).sort();
  t.deepEqual(left, [first.nodeId, idOf('e')].sort(), 'the oldest and the unconditional one');
  t.true(rejections(node).includes('full in'));
  peers.update({ maxInbound: 3 });
  await isSize(4);
});

test('a node that becomes unconditional is admitted beyond maxInbound, and counts again when it is removed', async (t, sim) => {
  const { peers, isSize, there } = await around(sim, ['b', 'c'], { maxInbound: 1 }, 1);
  await sim.run(2_000);
  const [inside] = there();
  peers.update({ unconditional: [idOf(inside === 'b' ? 'c' : 'b')] });
  await isSize(2);
  peers.update({ unconditional: [] });
  await isSize(1);
  await sim.run(2_000);
  t.deepEqual(there(), [inside], 'the one that came last is disconnected');
});

test('with membership by list, unconditional nodes are listed while they are set', async (t, sim) => {
  const { peers, isSize, there } = await around(sim, ['b'], { membership: 'listed' }, 0);
  await sim.run(2_000);
  t.deepEqual(there(), []);
  peers.update({ unconditional: [idOf('b')] });
  await isSize(1);
  peers.update({ unconditional: [] });
  await isSize(0);
});

test('privateIds apply from the moment they are set', async (t, sim) => {
  const { peers } = await around(sim, ['b']);
  const x = idOf('x');
  const seen = () => [peers.known().includes(x), peers.addressOf(x) !== undefined];
  peers.learn(x, 'x', idOf('b'));
  t.deepEqual(seen(), [true, true]);
  peers.update({ privateIds: [x] });
  t.deepEqual(seen(), [false, false]);
  peers.update({ maxInbound: 9 });
  t.deepEqual(seen(), [false, false], 'what is left out stays');
  peers.update({ privateIds: [] });
  t.deepEqual(seen(), [true, true]);
});

test('invalid settings throw a TypeError, and change nothing', async (t, sim) => {
  const { peers } = await around(sim, ['b']);
  for (const [given, message] of [
    [{ maxInbound: -1 }, /^peers\.update: maxInbound: /],
    [{ maxInbound: 0, unconditional: ['B'] }, /^peers\.update: unconditional: .*node ids/],
    [{ maxOutbound: 3 }, /^peers\.update: .*maxOutbound/],
  ] as const)
    t.throws(() => peers.update(given as object), { instanceOf: TypeError, message });
  await sim.run(1_000);
  t.is(peers.list().length, 1);
});
