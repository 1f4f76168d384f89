// One end of a measurement in a process of its own: `child.js server <adapter>`, or `child.js
// client <adapter> <address> <pid of the server>`. When the parent disconnects, the process closes
// everything and ends by itself.

import type { Caller } from './adapters/adapter.ts';
import { subjectOf } from './adapters/table.ts';
import type { Figures } from './benchmark.ts';
import { report, runCommands } from './commands.ts';
import { type Memory, settledMemory } from './memory.ts';
import { answer, check, numbered } from './messages.ts';
import { type CallScenario, type Load, runLoad } from './scenarios.ts';
import { Stopwatch } from './stopwatch.ts';

/** A command from the parent. */
export type Command =
  /** Asks a server for its memory. */
  | { readonly type: 'memory' }
  /** Opens as many more connections, `atOnce` handshakes at a time. */
  | { readonly type: 'open'; readonly count: number; readonly atOnce: number }
  | ({ readonly type: 'run' } & Run);

/** A measurement of a client: its scenario or load, and its milliseconds. */
export interface Run {
  /** The name of a scenario, which runs over the first connection, or a load for all in turn. */
  readonly scenario: string | Load;
  readonly warmUp: number;
  readonly window: number;
}

/** A report to the parent: the process is ready, or the result of a command. */
export interface Report {
  readonly address?: string;
  readonly memory?: Memory;
  readonly figures?: Figures;
}

const [role, name, address, serverPid] = process.argv.slice(2);
const subject = await subjectOf(name!);
await (role === 'server' ? server() : client());

async function server(): Promise<void> {
  const serving = await subject.serve(answer);
  runCommands<Command, Report>(
    async () => ({ memory: await settledMemory() }),
    () => void serving.close(),
  );
  report<Report>({ address: serving.address });
}

async function client(): Promise<void> {
  const callers: any[] = [];
  const open = async (isCalled: boolean) => {
    const caller = await (callers[0]?.another?.() ?? subject.connect(address!));
    callers.push(caller);
    if (isCalled) check(CALL, await caller.call(CALL));
  };
  const run = async ({ scenario: wanted, warmUp, window }: Run): Promise<Figures> => {
    const watch = new Stopwatch();
    const scenario: Pick<CallScenario<any>, 'run' | 'warmUps'> = typeof wanted === 'string'
      ? subject.scenarios.find(({ name }) => name === wanted)!
      : { run: async () => void (await runLoad(inTurn(callers), watch, wanted)) };
    const [figures, others] = await Promise.all([
      watch.measure(warmUp * (scenario.warmUps ?? 1), window, Number(serverPid)),
      scenario.run(callers[0], watch),
    ]);
    return { ...figures, ...others };
  };
  runCommands<Command, Report>(
    async (command) => {
      if (command.type === 'run') return { figures: await run(command) };
      if (command.type === 'memory') return { memory: await settledMemory() };
      let left = command.count;
      // The first one alone, because others may share what it opens.
      if (callers.length === 0 && left-- > 0) await open(command.count > 1);
      const work = async () => {
        while (left-- > 0) await open(true);
      };
      await Promise.all(Array.from({ length: command.atOnce }, work));
      return {};
    },
    () => {
      for (const caller of callers) void caller.close();
    },
  );
  report<Report>({});
}

/** Makes calls over connections in turn. */
function inTurn(callers: readonly Caller[]): Caller {
  if (callers.length === 1) return callers[0]!;
  let next = 0;
  return {
    call: (request) => callers[next++ % callers.length]!.call(request),
    close: async () => {},
  };
}

/** A small call over each of many connections, so that their memory includes what it allocates. */
const CALL = numbered(64, 7);
