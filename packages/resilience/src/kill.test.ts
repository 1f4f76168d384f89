// One of three servers dies under load, in simulation.

import { checkKill } from './testing/check-kill.ts';
import { runKill } from './testing/kill-scenario.ts';
import test from './testing/serial.ts';

test('a server that dies under load fails no idempotent call and doubles no other', async (t) => {
  for (const seed of [1, 2, 3]) {
    const result = await runKill(seed);
    t.log(
      `seed ${seed}: ${result.calls} calls, ${result.failedAppends} appends failed, p99 ${result.before} -> ${result.after} ms`,
    );
    checkKill(t, `seed ${seed}`, result, 1);
  }
});

for (const by of ['dns', 'service'] as const)
  test(`the same holds for servers behind a name: ${by}`, async (t) => {
    const result = await runKill(1, { by });
    t.log(`${result.calls} calls, p99 ${result.before} -> ${result.after} ms`);
    checkKill(t, by, result, 1);
  });

test('a machine that loses its power fails no call that is hedged', async (t) => {
  const result = await runKill(4, { power: 'lost', hedgeDelay: 50 });
  t.log(`${result.calls} calls, p99 ${result.before} -> ${result.after} ms`);
  checkKill(t, 'power lost', result, 1);
});
