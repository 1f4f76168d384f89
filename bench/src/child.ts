// One end of a measurement in a process of its own: `child.js <adapter>`. It serves, or opens
// connections and calls. When the parent disconnects, the process closes everything and ends by
// itself.

import type { Caller, Serving } from './adapters/adapter.ts';
import { subjectOf } from './adapters/table.ts';
import type { Figures } from './benchmark.ts';
import { runCommands } from './commands.ts';
import { settledMemory } from './memory.ts';
import { answer, check, numbered } from './messages.ts';
import { type CallScenario, type Load, runLoad } from './scenarios.ts';
import { Stopwatch } from './stopwatch.ts';

/** A measurement of a client: its scenario or load, and its milliseconds. */
export interface Run {
  /** The name of a scenario, which runs over the first connection, or a load for all in turn. */
  readonly scenario: string | Load;
  readonly warmUp: number;
  readonly window: number;
}

const subject = await subjectOf(process.argv[2]!);
let serving: Serving | undefined;
const callers: any[] = [];

const commands = {
  /** Serves, and returns the address. */
  async serve(): Promise<string> {
    serving = await subject.serve(answer);
    return serving.address;
  },

  /** Returns the memory of this process after GC. */
  memory: settledMemory,

  /** Opens as many more connections to a server, `atOnce` handshakes at a time. */
  async open(address: string, count: number, atOnce: number): Promise<void> {
    let left = count;
    // The first one alone, because others may share what it opens.
    if (callers.length === 0 && left-- > 0) await openOne(address, count > 1);
    const work = async () => {
      while (left-- > 0) await openOne(address, true);
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  },

  /** Measures over the open connections. @param server the process of the server. */
  async run(server: number, { scenario: wanted, warmUp, window }: Run): Promise<Figures> {
    const watch = new Stopwatch();
    const scenario: Pick<CallScenario<any>, 'run' | 'warmUps'> = typeof wanted === 'string'
      ? subject.scenarios.find(({ name }) => name === wanted)!
      : { run: async () => void (await runLoad(inTurn(callers), watch, wanted)) };
    const [figures, others] = await Promise.all([
      watch.measure(warmUp * (scenario.warmUps ?? 1), window, server),
      scenario.run(callers[0], watch),
    ]);
    return { ...figures, ...others };
  },
};
export type EndCommands = typeof commands;

runCommands(commands, () => {
  void serving?.close();
  for (const caller of callers) void caller.close();
});

async function openOne(address: string, isCalled: boolean): Promise<void> {
  const caller = await (callers[0]?.another?.() ?? subject.connect(address));
  callers.push(caller);
  if (isCalled) check(CALL, await caller.call(CALL));
}

/** Makes calls over connections in turn. */
function inTurn(open: readonly Caller[]): Caller {
  if (open.length === 1) return open[0]!;
  let next = 0;
  return {
    call: (request) => open[next++ % open.length]!.call(request),
    close: async () => {},
  };
}

/** A small call over each of many connections, so that their memory includes what it allocates. */
const CALL = numbered(64, 7);
