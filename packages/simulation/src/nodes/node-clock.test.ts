// Tests that a node's clock agrees with its timers: code that waits for a time with timers reaches
// it, no matter how wrong the clock is.

import type { Clock } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import { createSimulation } from '../index.ts';
import test from '../testing/serial.ts';

/** Waits for a time of the clock as transport-core does, with timers for the remaining time. */
function waitFor(clock: Clock, due: number, done: () => void): void {
  const look = () => {
    const left = due - clock.now();
    if (left <= 0) done();
    else clock.setTimeout(look, left);
  };
  look();
}

for (const [what, skew, ppm] of [
  ['right', 0, 0],
  ['set forward', 10_000.7, 0],
  ['set back', -3_000.3, 0],
  ['fast', 0, 333.3],
  ['slow', 0, -77_777.7],
  ['slow and set back', -2_999.9, -50],
] as const) {
  test(`waiting for a time of a clock that is ${what} ends in time, without a loop`, async (t) => {
    await using sim = createSimulation({ seed: 1, stepLimit: 100 });
    let clock: Clock | undefined;
    sim.node('a', (context) => void (clock = context.clock));
    await sim.run(5_000 + 1 / 3);
    sim.drift('a', ppm);
    sim.skew('a', skew);
    // At the end, virtual time is above 8,192. A clock that lags shows less, so the last bit of
    // its time is worth less than the last bit of virtual time.
    await sim.run(3_250 + 1 / 7);
    const random = seededRandom(1);
    let late = 0;
    for (let i = 0; i < 2_000; i++) {
      const due = clock!.now() + random() / 3;
      let reached = false;
      waitFor(clock!, due, () => (reached = true));
      await sim.until(() => reached, 1_000);
      late = Math.max(late, clock!.now() - due);
    }
    t.true(late >= 0 && late < 1e-6, `${late}`);
  });
}

test('a clock that was set back delays no timer', async (t) => {
  await using sim = createSimulation({ seed: 1 });
  const at: number[] = [];
  let clock: Clock | undefined;
  sim.node('a', (context) => void (clock = context.clock));
  await sim.run(1_000);
  sim.skew('a', -60_000);
  for (const delay of [1, 10, 100]) clock!.setTimeout(() => at.push(sim.now), delay);
  await sim.run(1_000);
  t.deepEqual(at, [1_001, 1_010, 1_100]);
});

test('times that are not numbers never appear: drift of −100 % and beyond is refused', async (t) => {
  await using sim = createSimulation({ seed: 1 });
  let clock: Clock | undefined;
  sim.node('a', (context) => void (clock = context.clock));
  await sim.run(10);
  for (const ppm of [-1_000_000, -2_000_000, Number.NEGATIVE_INFINITY]) {
    t.throws(() => sim.drift('a', ppm), { instanceOf: TypeError }, `${ppm}`);
    const before = clock!.now();
    await sim.run(10);
    t.true(clock!.now() >= before, `${ppm}`);
  }
});
