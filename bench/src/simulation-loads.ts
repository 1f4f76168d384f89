// The simulation at loads as its users write them: how much virtual time each runs in a second of CPU
// time, and the ratio to another checkout in the same rounds.

import { checkoutOf } from './arguments.ts';
import { type Figures, taskOf } from './benchmark.ts';
import { Child, withChildren } from './child-process.ts';
import { cores } from './cores.ts';
import { names, text } from './flags.ts';
import { runBenchmark } from './run.ts';
import type { LoadCommand, LoadReport } from './simulation/load.child.ts';
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
    const command = { warmUp: 2 * window, window: smoke ? 1 : window };
    return {
      tasks: LOADS.filter(({ name }) => wanted.includes(name)).flatMap(({ name, title }) => {
        const older = other && `${title}, before`;
        const now = { group: '', name: title, against: older };
        return [
          taskOf(now, () => runOnce(name, HERE, command), name),
          ...(older === undefined
            ? []
            : [taskOf({ group: '', name: older }, () => runOnce(name, other!, command), name)]),
        ];
      }),
      figuresOf: () => [
        { key: 'times', unit: '× CPU time' },
        { key: 'events', unit: 'events/s', compared: 'never' },
      ],
    };
  },
});

function runOnce(name: string, root: string, command: LoadCommand): Promise<Figures> {
  return withChildren(async (started) => {
    const { child } = await Child.start<LoadCommand, LoadReport>({
      name: `the load ${name}`,
      script: 'simulation/load.child.js',
      args: [name, root],
      core: cores[0],
      started,
    });
    const { figures } = await child.run(command);
    await child.close();
    return figures!;
  });
}
