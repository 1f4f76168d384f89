// Tests of timers that are used again.

import { createSimulation } from '../simulation.ts';
import test from '../testing/serial.ts';
import { VirtualTimers } from './virtual-timers.ts';

test('a timer that was refreshed after it had fired can be cleared', async (t) => {
  await using sim = createSimulation({ seed: 1 });
  let fired = 0;
  sim.node('n1', ({ clock }) => {
    const timers = new VirtualTimers(clock);
    const timer = timers.setTimeout(() => fired++, 10);
    timers.setTimeout(() => timer.refresh(), 20);
    timers.setTimeout(() => timers.clearTimeout(timer), 25);
  });
  await sim.run(100);
  t.is(fired, 1);
});
