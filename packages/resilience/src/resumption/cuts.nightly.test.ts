// Long searches: many more seeds of cut connections, and servers that are restarted.

import { nemeses } from '@trunkline/simulation';
import { seeds } from '../testing/seeds.ts';
import test from '../testing/serial.ts';
import { NETWORK, RESETS, runCuts, total } from './testing/cuts.ts';

test('600 seeds of resets and other faults of the network', async (t) => {
  t.timeout(1_800_000);
  const outcomes = [];
  for (const seed of seeds(600))
    outcomes.push(
      await runCuts({
        seed: 1_000 + seed,
        nemesis: seed % 2 === 0 ? RESETS : NETWORK,
        length: 1_000,
        streams: 3,
      }),
    );
  const { items, completed, failures, runs } = total(outcomes);
  t.log({ items, completed, failures, runs });
  t.true(completed >= outcomes.length * 3 * 0.85, JSON.stringify(failures));
  t.true(runs <= outcomes.length * 3);
});

test('a server that is restarted ends its streams, and never begins one again', async (t) => {
  t.timeout(1_800_000);
  const restarts = nemeses.rollingRestart({ duration: 4_000 });
  const onlyServer = {
    name: 'restarts of the server',
    plan: (context: Parameters<typeof restarts.plan>[0]) =>
      restarts.plan({ ...context, nodes: ['server'] }),
  };
  const outcomes = [];
  for (const seed of seeds(100))
    outcomes.push(await runCuts({ seed, nemesis: onlyServer, length: 3_000, streams: 3 }));
  const { completed, failures, runs } = total(outcomes);
  t.log({ completed, failures, runs });
  t.is(completed + (failures['unknown'] ?? 0), outcomes.length * 3, JSON.stringify(failures));
  t.true((failures['unknown'] ?? 0) > 0);
});
