// One of three servers in a list dies under load, in simulation, with 1,000 seeds.

import { checkKill } from './testing/check-kill.ts';
import { runKill } from './testing/kill-scenario.ts';
import { seeds } from './testing/seeds.ts';
import test from './testing/serial.ts';

test('with 1,000 seeds, no idempotent call fails and no other is doubled', async (t) => {
  t.timeout(30 * 60_000);
  for (const seed of seeds(1_000)) checkKill(t, `seed ${seed}`, await runKill(seed), 1);
});
