// Raft as one scenario: in virtual time, and on processes over TCP and TLS.

import { explore } from '@trunkline/simulation';
import { runOnProcesses } from '@trunkline/simulation/processes';
import test from 'ava';
import type { Figures } from './processes/scenario.ts';

const scenario = new URL('./processes/scenario.js?seconds=8', import.meta.url);

test.serial('the scenario passes in virtual time', async (t) => {
  t.timeout(300_000);
  const { passed, failed } = await explore({ scenario, seeds: 3, name: 'raft-portable' });
  t.is(failed[0]?.error.message, undefined);
  t.is(passed, 3);
});

for (const [name, network] of [
  ['TCP', undefined],
  ['TLS', new URL('./processes/tls-network.js', import.meta.url)],
] as const)
  test.serial(`the same scenario passes on processes over ${name}`, async (t) => {
    t.timeout(300_000);
    const { faults, skipped } = await runOnProcesses({ scenario, network, seed: 3 });
    t.true(faults.length > 1);
    t.deepEqual(skipped, {});
    const { figures } = (await import(scenario.href)) as { readonly figures: Figures };
    t.true(figures.commands > 50, `${figures.commands} commands`);
    t.true(figures.terms > 0);
  });
