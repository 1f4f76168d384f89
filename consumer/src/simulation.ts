// A simulated cluster, as a user's test would write it.

import { parseRecording, replayPage, replayText } from '@trunkline/admin/replay';
import {
  assertDeterministic,
  createSimulation,
  explore,
  nemeses,
  type Simulation,
  SimulationError,
} from '@trunkline/simulation';
import { type Client, serve, type Transport } from '@trunkline/transport-core';
import { ledger } from './ledger.ts';

export async function scenario(sim: Simulation): Promise<void> {
  let served = 0;
  sim.node('n1', async ({ transport, clock, random, store, log }) => {
    const node: Transport<typeof ledger> = transport(ledger, { timeout: 500 });
    serve(node, { book: ({ account }) => ({ balance: account.length + ++served }) });
    await node.listen();
    await store.set('seen', new Uint8Array([Math.floor(random() * 256)]));
    await store.sync();
    log(`listens at ${clock.now()}`);
    return () => node.close();
  });
  const client: Client<typeof ledger> = sim.client(ledger).to('n1');
  sim.always('no more than one', () => served <= 1);
  sim.partition(['n1'], []);
  sim.cut('n1', 'client-1', { direction: 'one-way' });
  sim.heal();
  const { balance } = await sim.settle(client.book({ account: 'a' }), 5_000);
  if (balance !== 2) throw new Error(`got ${balance}`);
}

export async function search(): Promise<string[]> {
  const { failed } = await explore({
    seeds: 10,
    scenario,
    nemesis: nemeses.swarm({ duration: 5_000 }),
    level: 'stream',
  });
  return failed.map(({ seed, error, trace }) => `${seed} ${error.message} ${trace.hash}`);
}

export async function pages(): Promise<string[]> {
  const { failed } = await explore({ scenario, record: 1_000 });
  return failed.flatMap(({ recording }) =>
    recording === undefined
      ? []
      : [replayPage(recording), replayText(parseRecording(JSON.stringify(recording)))],
  );
}

export async function once(): Promise<string> {
  const sim = createSimulation({
    seed: 7,
    link: { latency: [1, 20], loss: 0.01 },
    disk: { sync: { exponential: 2 } },
  });
  try {
    await scenario(sim);
  } catch (error) {
    if (error instanceof SimulationError)
      return `${error.invariant} ${error.at} ${error.trace.timeline.length}`;
  }
  return `${sim.trace.hash} ${await assertDeterministic(scenario)} ${(await sim.close()).length}`;
}
