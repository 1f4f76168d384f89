// Tests that leases that are measured by monotonic clocks hold while clocks are wrong: a lock is
// never held by two nodes.

import { serve } from '@trunkline/transport-core';
import { createSimulation, nemeses } from '../index.ts';
import test from '../testing/serial.ts';
import { testProtocol } from '../testing/test-protocol.ts';

const LEASE = 500;
/** Two clocks differ by at most 400 ppm if each is wrong by 200. */
const TRUSTED = LEASE * (1 - 0.0005);

test('a lock with leases has one holder at most, although clocks jump and drift', async (t) => {
  let held = 0;
  for (let seed = 1; seed <= 200; seed++) {
    await using sim = createSimulation({
      seed,
      nemesis: nemeses.clockStorm({ duration: 5_000, lasts: [100, 1_000], calm: [10, 100] }),
    });
    const holders = new Map<string, () => boolean>();
    sim.node('server', async ({ transport, clock }) => {
      const node = transport(testProtocol);
      await node.listen();
      let end = 0;
      serve(node, {
        echo: () => {
          if (clock.now() < end) return 'no';
          end = clock.now() + LEASE;
          return 'yes';
        },
      });
    });
    for (const name of ['a', 'b', 'c'])
      sim.node(name, async ({ transport, clock, random }) => {
        const node = transport(testProtocol);
        for (;;) {
          const asked = clock.now();
          const answer = await node.send('server', 'echo', name).catch(() => 'no');
          if (answer === 'yes') {
            held++;
            holders.set(name, () => clock.now() < asked + TRUSTED);
          }
          await clock.sleep(50 * random());
        }
      });
    sim.always('one holder', () => [...holders.values()].filter((isHeld) => isHeld()).length <= 1);
    await sim.run(5_500);
  }
  t.true(held > 200 * 7, `${held}`);
});
