// Tests of dials that serve calls to nodes by their ids, and of calls that are cancelled meanwhile.

import type { Simulation } from '@trunkline/simulation';
import type { PeersOptions } from './options.ts';
import { failureOf } from './testing/bare.ts';
import {
  boot,
  cluster,
  hub,
  idOf,
  isLinked,
  passive,
  star,
  type TestNode,
  targetOf,
} from './testing/cluster.ts';
import { eventsOf, test } from './testing/runs.ts';

const B = idOf('b');
const quiet: Partial<PeersOptions> = { ...passive, exchange: { enabled: false } };

/** Returns a `locate` whose calls the functions in `found` answer. */
function slowLocate() {
  const found: ((address?: string) => void)[] = [];
  const locate = () => new Promise<string | undefined>((resolve) => void found.push(resolve));
  return { found, locate };
}

/** Begins a call to 'b' and cancels it after some milliseconds. */
async function cancelCall(sim: Simulation, { transport }: TestNode, after: number): Promise<void> {
  const cancel = new AbortController();
  void failureOf(transport.send(`node:${B}`, 'say', 'x', { signal: cancel.signal }));
  await sim.run(after);
  cancel.abort();
}

test('a call that begins when the only other one is cancelled dials the node again', async (t, sim) => {
  const [a] = await boot(sim, ['a', 'b'], { peers: { ...quiet, locate: () => 'b' } });
  for (const after of [0, 1, 5]) {
    await cancelCall(sim, a, after);
    const call = a.transport.send(`node:${B}`, 'say', 'y');
    t.is(await sim.settle(call), 'b: y', `${after} ms`);
    await sim.settle(a.transport.disconnect(`node:${B}`));
    await sim.until(() => !isLinked(a, 'b'));
  }
});

test('a call that waits until its node is located does not fail with a cancelled dial', async (t, sim) => {
  const { found, locate } = slowLocate();
  const [a] = await boot(sim, ['a', 'b'], { peers: { ...quiet, locate }, durable: false });
  const cancel = new AbortController();
  void failureOf(a.transport.send(`node:${B}`, 'say', 'x', { signal: cancel.signal }));
  found[0]!('b');
  await sim.run(0);
  cancel.abort();
  const call = a.transport.send(`node:${B}`, 'say', 'y');
  await sim.run(1);
  found[1]!('b');
  t.is(await sim.settle(call), 'b: y');
});

const meanwhile: Record<string, (a: TestNode, sim: Simulation) => unknown> = {
  'is dialed where others reported it meanwhile': ({ peers }) => peers.learn(B, 'b', idOf('c')),
  'is reached by a dial in progress': ({ peers }) => peers.add(targetOf('b')),
  'is dialed at another address than the one that failed': async ({ peers }, sim) => {
    peers.add(`${B}@gone`);
    await sim.run(1_000);
    peers.learn(B, 'b', idOf('c'));
  },
};
for (const [what, happens] of Object.entries(meanwhile))
  test(`a node that \`locate\` does not know ${what}`, async (t, sim) => {
    const { found, locate } = slowLocate();
    const [a] = await hub(sim, ['c'], { ...quiet, locate });
    cluster(sim, ['b'], { peers: quiet });
    await sim.until(() => isLinked(a, 'c'));
    const call = a.transport.send(`node:${B}`, 'say', 'x');
    await happens(a, sim);
    found[0]!();
    t.is(await sim.settle(call), 'b: x');
  });

test('once its call is cancelled, a node is not dialed at its next address', async (t, sim) => {
  const reconnect = { initialBackoff: 600_000, maxBackoff: 600_000 };
  const own = { ...quiet, persistent: [`${B}@gone`], reconnect };
  const peers = (name: string) => (name === 'a' ? own : quiet);
  const [a] = await boot(sim, ['a', 'b', 'c'], { peers, durable: false });
  await sim.settle(a.transport.dial('c'));
  await sim.until(() => isLinked(a, 'c'));
  t.true(a.peers.learn(B, 'b', idOf('c')));
  await sim.run(60_000);
  await cancelCall(sim, a, 1);
  await sim.run(60_000);
  t.false(isLinked(a, 'b'));
  t.is(await sim.settle(a.transport.send(`node:${B}`, 'say', 'y')), 'b: y', 'it is for a call');
});

test('once its call is cancelled, a node that was located meanwhile is not dialed', async (t, sim) => {
  const { found, locate } = slowLocate();
  const peers = { ...quiet, locate };
  const [a] = await boot(sim, ['a', 'b'], { peers, durable: false });
  await cancelCall(sim, a, 1);
  found[0]!('b');
  await sim.run(60_000);
  t.false(isLinked(a, 'b'));
});

test('a dial that is cancelled does not count as a failure of its address', async (t, sim) => {
  const [a] = await hub(sim, ['c'], quiet);
  cluster(sim, ['b'], { peers: quiet });
  await sim.until(() => isLinked(a, 'c'));
  t.true(a.peers.learn(B, 'b', idOf('c')));
  const failures = () => [...a.peers.book()].find(({ nodeId }) => nodeId === B)?.failures;
  for (let i = 0; i < 3; i++) {
    await cancelCall(sim, a, 1);
    t.is(failures(), 1, 'it was dialed');
    await sim.run(1);
    t.is(failures(), 0);
  }
});

test('a call to a node whose reported address belongs to a connected peer fails at once, and the dials of that address back off', async (t, sim) => {
  const x = idOf('x');
  const [a] = await star(sim, ['b'], { ...quiet, locate: () => 'b' });
  const began = sim.now;
  const call = failureOf(a.transport.send(`node:${x}`, 'say', 'hi'));
  t.like(await sim.settle(call), { reason: 'identity_mismatch', sent: false });
  t.true(sim.now - began < 100);
  a.peers.add(`${x}@b`);
  await sim.run(20_000);
  const { length } = eventsOf(a, 'rejected');
  t.true(length > 2 && length < 10, `${length} dials`);
  t.is(eventsOf(a, 'down').length, 0);
});
