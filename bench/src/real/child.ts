// One end of a measurement in a process of its own: `child.js server <library> <carrier>`, or
// `child.js client <library> <carrier> <address> <pid of the server>`.

import { report, runCommands } from '../commands.ts';
import type { Times } from '../echo-task.ts';
import { type Figures, Stopwatch } from '../stopwatch.ts';
import { libraryOf } from './by-name.ts';
import type { Carrier } from './library.ts';
import { runTask, TASKS } from './tasks.ts';

export interface Command extends Times {
  readonly task: string;
}

export interface Report {
  readonly address?: string;
  readonly figures?: Figures;
}

const [role, name, carrier, address, server] = process.argv.slice(2) as [
  string,
  string,
  Carrier,
  ...string[],
];
const library = await libraryOf(name);
const end = () => process.kill(process.pid, 'SIGKILL');
if (role === 'server') {
  process.on('disconnect', end);
  report<Report>({ address: await library.serve(carrier) });
} else {
  const client = await library.connect(carrier, address!);
  runCommands<Command, Report>(async ({ task: wanted, warmUp, window }) => {
    const task = TASKS.find((each) => each.name === wanted)!;
    const watch = new Stopwatch();
    const [figures] = await Promise.all([
      watch.measure(warmUp, window, Number(server)),
      runTask(task, client, watch),
    ]);
    return { figures };
  }, end);
  report<Report>({});
}
