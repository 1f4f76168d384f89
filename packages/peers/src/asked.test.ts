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
  const call = failureOf(transport.send(`node:${B}`, 'say', 'x', { signal: cancel.signal }));
  await sim.run(after);
  cancel.abort();
  void call;
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
