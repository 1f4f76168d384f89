// Types: the time that TypeScript takes to check a protocol with many methods, beside plain functions
// and tRPC.

import { install } from './adapters/table.ts';
import { ratioBar } from './bars.ts';
import { taskOf } from './benchmark.ts';
import { flag, number } from './flags.ts';
import { runBenchmark } from './run.ts';
import { isInstalled, programs } from './types/measure.ts';
import { FUNCTIONS, PROTOCOL, SUBJECTS } from './types/subjects.ts';

const LIMIT = { group: '', name: FUNCTIONS };

await runBenchmark({
  name: 'types',
  summary: 'Exit code 1 if the bar is missed.',
  rounds: 15,
  window: 0,
  isPublished: true,
  flags: {
    methods: number('number of methods of each program', 200, 3),
    peers: flag(
      'also measures tRPC, and installs other libraries into bench/peers if they are missing',
    ),
  },
  plan({ methods, peers }) {
    if (peers) install();
    const subjects = SUBJECTS.filter(isInstalled);
    const { check, remove } = programs(subjects, methods);
    const rows = subjects.map(({ name }) => ({
      group: '',
      name,
      against: name === FUNCTIONS ? undefined : LIMIT,
    }));
    return {
      rows,
      tasks: subjects.map((subject, at) =>
        taskOf(rows[at]!, '', async () => ({ time: check(subject) })),
      ),
      figuresOf: () => [{ key: 'time', unit: 'ms' }],
      settings: `${methods} methods`,
      bars: [
        ratioBar('time', { group: '', name: PROTOCOL }, LIMIT, { most: 1.5 }, 'type-checking'),
      ],
      close: async () => remove(),
    };
  },
});
