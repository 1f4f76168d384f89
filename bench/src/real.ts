// What programs send: objects as JSON, checked by zod, beside a bare socket and other libraries that
// do the same work.

import { install } from './adapters/peers.ts';
import { type Figures, type Row, taskOf } from './benchmark.ts';
import { flag } from './flags.ts';
import { PEER_NAMES } from './real/by-name.ts';
import { BARE, CARRIERS, type Carrier, OURS } from './real/library.ts';
import { measure } from './real/measure.ts';
import { TASKS, type Task } from './real/tasks.ts';
import { runBenchmark } from './run.ts';

const PLACES = TASKS.flatMap((task) =>
  CARRIERS.map((carrier) => ({ task, carrier, group: groupOf(task, carrier) })),
);

await runBenchmark({
  name: 'real',
  summary: 'The bare socket does the same work with the same schemas, without a library.',
  rounds: 5,
  window: 1_500,
  isPublished: true,
  flags: {
    peers: flag(
      'also measures socket.io, tRPC and grpc-js, and installs them into bench/peers if they are missing',
    ),
  },
  plan({ peers, window }) {
    if (peers) install();
    const cells = PLACES.flatMap(({ task, carrier, group }) =>
      librariesOf(carrier, peers).map((name) => ({
        task,
        carrier,
        row: { group, name, against: limitOf(task, carrier, name) },
      })),
    );
    return {
      rows: cells.map(({ row }) => row),
      tasks: cells.map(({ task, carrier, row }) =>
        taskOf(row, task.name, async (): Promise<Figures> => {
          const command = { task: task.name, warmUp: window, window };
          const { rate, clientCpu, serverCpu } = await measure(row.name, carrier, command);
          return { rate, cpu: ((clientCpu ?? Number.NaN) + (serverCpu ?? Number.NaN)) / 1_000 };
        }),
      ),
      figuresOf: (group) => [
        { key: 'rate', unit: `${PLACES.find((each) => each.group === group)!.task.unit}/s` },
        { key: 'cpu', unit: 'CPU µs' },
      ],
    };
  },
});

function groupOf({ title, unit, inFlight }: Task, carrier: Carrier): string {
  return `${title}${unit === 'items' ? '' : `, ${inFlight} in flight`}, ${carrier}`;
}

/** Node has no Noise, and other libraries don't either. */
function librariesOf(carrier: Carrier, peers: boolean): string[] {
  return carrier === 'Noise' ? [OURS] : [BARE, OURS, ...(peers ? PEER_NAMES : [])];
}

/** Noise is compared with the plain socket. */
function limitOf(task: Task, carrier: Carrier, name: string): Row['against'] {
  if (name === BARE) return undefined;
  return { group: groupOf(task, carrier === 'Noise' ? 'TCP' : carrier), name: BARE };
}
