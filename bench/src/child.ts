// One end of a measurement in a process of its own: `child.js server <adapter>`, or `child.js
// client <adapter> <address> <pid of the server>`. A client runs the scenario that its parent
// names. When the parent disconnects, the process closes everything and ends by itself.

import { subjectOf } from './adapters/table.ts';
import { report, runCommands } from './commands.ts';
import { answer } from './messages.ts';
import { type Load, runLoad } from './scenarios.ts';
import { type Figures, Stopwatch } from './stopwatch.ts';

/** A command from the parent to a client: what to run, and for how many milliseconds. */
export interface Command {
  /** The name of a scenario, or a load. */
  readonly scenario: string | Load;
  readonly warmUp: number;
  readonly window: number;
}

/** A report to the parent: the process is ready, or the result of a command. */
export interface Report {
  readonly address?: string;
  readonly figures?: Figures;
}

const [role, name, address, serverPid] = process.argv.slice(2);
const subject = await subjectOf(name!);
await (role === 'server' ? server() : client());

async function server(): Promise<void> {
  const serving = await subject.serve(answer);
  process.on('disconnect', () => void serving.close());
  report<Report>({ address: serving.address });
}

async function client(): Promise<void> {
  const caller = await subject.connect(address!);
  runCommands<Command, Report>(
    async ({ scenario: wanted, warmUp, window }) => {
      const watch = new Stopwatch();
      if (typeof wanted !== 'string') {
        const measured = watch.measure(warmUp, window, Number(serverPid));
        await Promise.all([measured, runLoad(caller, watch, wanted)]);
        return { figures: await measured };
      }
      const scenario = subject.scenarios.find((each) => each.name === wanted)!;
      const [figures, others] = await Promise.all([
        watch.measure(warmUp * (scenario.warmUps ?? 1), window, Number(serverPid)),
        scenario.run(caller, watch),
      ]);
      return { figures: { ...figures, ...others } };
    },
    () => void caller.close(),
  );
  report<Report>({});
}
