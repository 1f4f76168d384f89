// A scenario whose node throws an error that nothing awaits: n2 does so after n1 is down, and only
// with seeds from 3 on.

import type { ScheduledFault } from './faults/fault.ts';
import type { Simulation } from './simulation.ts';

export const nemesis: readonly ScheduledFault[] = [
  { at: 500, do: 'pause', node: 'n2', for: 10 },
  { at: 1_000, do: 'skew', node: 'n1', by: 10 },
  { at: 2_000, do: 'crash', node: 'n1' },
  { at: 4_000, do: 'recover' },
];

export default async function scenario(sim: Simulation): Promise<void> {
  sim.node('n1', () => {});
  sim.node('n2', ({ clock }) => {
    const look = () => {
      clock.setTimeout(look, 500);
      if (sim.seed >= 3 && !sim.isUp('n1')) {
        void (async () => {
          await undefined;
          throw new RangeError('n1 is gone');
        })();
      }
    };
    clock.setTimeout(look, 500);
  });
  await sim.run(5_000);
}
