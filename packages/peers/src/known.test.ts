// Tests of the address book as other protocols on the same node use it: `known`, `addressOf` and
// `learn`.

import type { PeersOptions } from './options.ts';
import { failureOf } from './testing/bare.ts';
import { boot, idOf, star } from './testing/cluster.ts';
import { test } from './testing/runs.ts';

const quiet: Partial<PeersOptions> = { maxOutbound: 0, exchange: { enabled: false } };

test('known() returns nodes that are not connected, recently reached ones first, without private and banned ones, and takes only valid counts', async (t, sim) => {
  const others = Array.from({ length: 12 }, (_, i) => `o${i}`);
  const own = { ...quiet, persistent: ['b'], privateIds: [idOf('o9')] };
  const [{ peers, transport }] = await star(sim, ['b'], own);
  t.deepEqual(peers.known(), []);
  await boot(sim, others, { peers: quiet });
  for (const name of others) peers.learn(idOf(name), name, idOf('b'));
  for (const name of others.slice(0, 6)) await sim.settle(transport.dial(`node:${idOf(name)}`));
  for (const { nodeId, remote } of peers.list())
    if (nodeId !== idOf('b')) await sim.settle(transport.disconnect(remote));
  peers.ban(idOf('o8'));
  await sim.run(1_000);
  const known = peers.known(20);
  const expected = others.filter((name) => name !== 'o8' && name !== 'o9').map(idOf);
  t.deepEqual([...known].sort(), expected.sort());
  const reached = others.slice(0, 6).map(idOf).sort();
  t.deepEqual(known.slice(0, 6).sort(), reached, 'those that a dial reached');
  t.is(peers.known(2).length, 2);
  for (const count of [0, 1.5, 251, Number.NaN])
    t.throws(() => peers.known(count), { instanceOf: TypeError, message: /peers\.known: count/ });
});

test('learn() keeps an address from another protocol as reported by that peer and dials it by id; addressOf() shares it, unless it is private', async (t, sim) => {
  const [{ peers, transport }, , c] = await boot(sim, ['a', 'b', 'c'], {
    peers: (name) => ({ ...quiet, persistent: name === 'a' ? ['b'] : [] }),
  });
  t.false(peers.learn(idOf('c'), 'c', idOf('b')), 'b is not connected yet');
  await sim.until(() => peers.list().length === 1, 10_000);
  t.is(peers.addressOf(idOf('c')), undefined);
  t.true(peers.learn(idOf('c'), 'c', idOf('b')));
  t.is(peers.addressOf(idOf('c')), 'c');
  t.is(peers.snapshot().book.fresh, 1);
  await sim.settle(transport.dial(`node:${idOf('c')}`));
  t.is(peers.get(idOf('c'))?.addr, 'c');
  await sim.until(() => c.peers.list().length === 1);
  peers.update({ privateIds: [idOf('c')] });
  t.is(peers.addressOf(idOf('c')), undefined, 'nor of private nodes');
  t.deepEqual([peers.addressOf(idOf('b')), peers.addressOf('what')], ['b', undefined]);
});

test('learn() never throws, whatever a peer sends; malformed, banned, private, own and private-network entries are refused', async (t, sim) => {
  const own: Partial<PeersOptions> = { addresses: 'public', privateIds: [idOf('p')] };
  const [{ peers }] = await star(sim, ['b'], { ...quiet, ...own });
  peers.ban(idOf('banned'));
  const { size } = peers.snapshot().book;
  const refused = [
    ...[undefined, null, 7, {}, '', 'zz', idOf('x').toUpperCase()].map((id) => [id, '8.8.8.8:1']),
    ...[undefined, null, 7, {}, '', '8.8.8.8:0', '0.0.0.0:1', 'x@y', 'a\nb', '10.0.0.1:1'].map(
      (address) => [idOf('x'), address],
    ),
    [idOf('x'), `${'x'.repeat(300)}:1`],
    ...['banned', 'p', 'a'].map((name) => [idOf(name), '8.8.8.8:1']),
  ] as [string, string][];
  for (const [nodeId, address] of refused)
    t.false(peers.learn(nodeId, address, idOf('b')), `${String(nodeId)} ${String(address)}`);
  t.false(peers.learn(idOf('x'), '8.8.8.8:1', 'nobody'));
  t.is(peers.snapshot().book.size, size);
  t.true(peers.learn(idOf('x'), '8.8.8.8:1', idOf('b')));
});

test('a call to a node whose address is unknown fails as unreachable', async (t, sim) => {
  const [{ transport }] = await boot(sim, ['a'], { peers: quiet });
  const error = await sim.settle(failureOf(transport.send(`node:${idOf('b')}`, 'say', 'x')));
  t.like(error, { code: 'unavailable', sent: false, unreachable: true });
});

test('a `locate` that does not answer fails the call after a minute, and is asked again', async (t, sim) => {
  let asked = 0;
  const locate = () => (asked++ === 0 ? new Promise<never>(() => {}) : 'b');
  const [{ transport }] = await boot(sim, ['a', 'b'], { peers: { ...quiet, locate } });
  const say = () =>
    sim.settle(transport.send(`node:${idOf('b')}`, 'say', 'x', { timeout: 90_000 }));
  await t.throwsAsync(say(), { message: /'locate' failed: it did not answer within 60000 ms/ });
  t.is(await say(), 'b: x');
});
