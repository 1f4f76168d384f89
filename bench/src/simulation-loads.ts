// The simulation at loads as its users write them: how much virtual time each runs in a second of
// CPU time, and the ratio to another checkout in the same rounds.

import { checkoutOf } from './arguments.ts';
import { alone, type Figures, taskOf } from './benchmark.ts';
import { withChildren } from './child-process.ts';
import { cores } from './cores.ts';
import { names, text } from './flags.ts';
import { runBenchmark } from './run.ts';
import type { LoadCommands } from './simulation/load.child.ts';
import { LOADS } from './simulation/loads.ts';

await runBenchmark({
  name: 'simulation-loads',
  summary: 'The window is CPU time, after a warm-up twice as long.',
  rounds: 9,
  window: 3_000,
  flags: {
    load: names(
      'measures only these',
      LOADS.map(({ name }) => name),
    ),
    before: text('<folder>', 'also measures another checkout, which is built, in the same rounds'),
  },
  plan({ load: wanted, before, window, smoke }) {
    const checkout = before && checkoutOf(before);
    const times = [2 * window, smoke ? 1 : window] as const;
    return {
      tasks: LOADS.filter(({ name }) => wanted.includes(name)).flatMap(({ name, title }) => {
        const older = checkout && `${title}, before`;
        const measure = (row: string, against?: string, from?: string) =>
          taskOf({ group: '', name: row, against }, () => runOnce(name, times, from), name);
        return [measure(title, older), ...(older ? [measure(older, undefined, checkout)] : [])];
      }),
      figuresOf: () => [{ key: 'times', unit: '× CPU time' }, alone('events', 'events/s')],
    };
  },
});

/** @param checkout the URL of bench/dist/ in the checkout whose code runs. Default: this one. */
function runOnce(
  name: string,
  [warmUp, window]: readonly [number, number],
  checkout = import.meta.url,
): Promise<Figures> {
  return withChildren(async (start) => {
    const child = await start<LoadCommands>({
      name: `the load ${name}`,
      script: new URL('simulation/load.child.js', checkout).href,
      args: [name],
      core: cores[0],
    });
    await child.call('run', warmUp);
    const figures = await child.call('run', window);
    await child.close();
    return figures;
  });
}
