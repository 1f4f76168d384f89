// Tests of dials that serve calls to nodes by their ids, and of calls that are cancelled meanwhile.

import type { Simulation } from '@trunkline/simulation';
import type { PeersOptions } from './options.ts';
import { failureOf } from './testing/bare.ts';
import { boot, idOf, isLinked, passive, type TestNode } from './testing/cluster.ts';
import { test } from './testing/runs.ts';

const B = idOf('b');
const quiet: Partial<PeersOptions> = { ...passive, exchange: { enabled: false } };

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
  const found: ((address: string) => void)[] = [];
  const locate = () => new Promise<string>((resolve) => void found.push(resolve));
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
  let found = (_: string) => {};
  const locate = () =>
    new Promise<string>((resolve) => {
      found = resolve;
    });
  const peers = { ...quiet, locate };
  const [a] = await boot(sim, ['a', 'b'], { peers, durable: false });
  await cancelCall(sim, a, 1);
  found('b');
  await sim.run(60_000);
  t.false(isLinked(a, 'b'));
});
