// The benchmark of what programs send: objects as JSON, checked by zod, beside a bare socket and
// other libraries that do the same work.

import { install, REAL_PEERS } from './adapters/table.ts';
import { taskOf } from './benchmark.ts';
import { flag, names } from './flags.ts';
import { measurePair } from './pair.ts';
import { BARE, OURS } from './real/library.ts';
import { TASKS } from './real/tasks.ts';
import { runBenchmark } from './run.ts';

await runBenchmark({
  name: 'real',
  summary: 'CPU is the time of both processes for each call, or for each item of a download.',
  rounds: 5,
  window: 1_500,
  flags: {
    task: names(
      'measures only these',
      TASKS.map(({ name }) => name),
    ),
    peers: flag(
      `also measures ${REAL_PEERS.join(', ')}, and installs other libraries into bench/peers if they are missing`,
    ),
  },
  plan({ task, peers, window }) {
    if (peers) install();
    const libraries = [BARE, OURS, ...(peers ? REAL_PEERS : [])];
    const carried = ['TCP', 'TLS'].flatMap((carrier) =>
      libraries.map((library) => ({
        name: `${library} over ${carrier}`,
        against: library === BARE ? undefined : `${BARE} over ${carrier}`,
      })),
    );
    // Node has no Noise, so Noise is compared with the bare socket over TCP.
    const columns = [...carried, { name: `${OURS} over Noise`, against: `${BARE} over TCP` }];
    const one = (group: string) => TASKS.find(({ name }) => name === group)!;
    return {
      tasks: task.flatMap((group) =>
        columns.map((column) =>
          taskOf({ group, ...column }, async () => {
            const what = { scenario: group, warmUp: window, window };
            const { rate, cpu } = await measurePair(column.name, what);
            return { rate, cpu: cpu! / 1_000 };
          }),
        ),
      ),
      titleOf: (group) => one(group).title,
      figuresOf: (group) => one(group).figures,
    };
  },
});
