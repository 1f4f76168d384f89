// The simulation at loads as its users write them: how much virtual time each runs in a second of CPU
// time, and the ratio to another checkout in the same rounds.

import { checkoutOf } from './arguments.ts';
import { type Figures, taskOf } from './benchmark.ts';
import { withChildren } from './child-process.ts';
import { cores } from './cores.ts';
import { names, text } from './flags.ts';
import { runBenchmark } from './run.ts';
import type { LoadCommands } from './simulation/load.child.ts';
import { LOADS } from './simulation/loads.ts';

/** The folder of this checkout. */
const HERE = new URL('../../', import.meta.url).href;

await runBenchmark({
  name: 'simulation-loads',
  summary: 'The window is CPU time, after a warm-up twice as long.',
  rounds: 9,
  window: 3_000,
  isPublished: true,
  flags: {
    load: names(
      'measures only these',
      LOADS.map(({ name }) => name),
    ),
    before: text('<folder>', 'also measures another checkout, which is built, in the same rounds'),
  },
  plan({ load: wanted, before, window, smoke }) {
    const other = before && checkoutOf(before);
    const measure = (name: string, root: string) =>
      runOnce(name, root, 2 * window, smoke ? 1 : window);
    return {
      tasks: LOADS.filter(({ name }) => wanted.includes(name)).flatMap(({ name, title }) => {
        const older = other && `${title}, before`;
        const now = { group: '', name: title, against: older };
        return [
          taskOf(now, () => measure(name, HERE), name),
          ...(older === undefined
            ? []
            : [taskOf({ group: '', name: older }, () => measure(name, other!), name)]),
        ];
      }),
      figuresOf: () => [
        { key: 'times', unit: '× CPU time' },
        { key: 'events', unit: 'events/s', compared: 'never' },
      ],
    };
  },
});

/** @param root the URL of the folder of the checkout whose packages run. */
function runOnce(name: string, root: string, warmUp: number, window: number): Promise<Figures> {
  return withChildren(async (start) => {
    const child = await start<LoadCommands>({
      name: `the load ${name}`,
      script: 'simulation/load.child.js',
      args: [name, root],
      core: cores[0],
    });
    await child.call('run', warmUp);
    const figures = await child.call('run', window);
    await child.close();
    return figures;
  });
}
