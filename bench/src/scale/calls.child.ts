// One end of a connection: `calls.child.js server <adapter>`, or `calls.child.js client <adapter>
// <address> <pid of the server>`.

import { adapterOf } from '../adapters/by-name.ts';
import { report, runCommands } from '../commands.ts';
import { answer, Messages } from '../messages.ts';
import { type Figures, Stopwatch } from '../stopwatch.ts';

/** Makes calls of `size` bytes, `inFlight` at a time. */
export interface CallCommand {
  readonly size: number;
  readonly inFlight: number;
  readonly warmUp: number;
  readonly window: number;
}

export interface CallReport {
  readonly address?: string;
  readonly figures?: Figures;
}

const [role, name, address, serverPid] = process.argv.slice(2);
const adapter = await adapterOf(name!);
await (role === 'server' ? server() : client());

async function server(): Promise<void> {
  const serving = await adapter.serve(answer);
  process.on('disconnect', () => void serving.close());
  report<CallReport>({ address: serving.address });
}

async function client(): Promise<void> {
  const caller = await adapter.connect(address!);
  runCommands<CallCommand, CallReport>(
    async ({ size, inFlight, warmUp, window }) => {
      const watch = new Stopwatch();
      const messages = size === 0 ? new Empty() : new Messages(size, inFlight);
      const work = async () => {
        while (!watch.over) {
          const request = messages.take();
          messages.check(request, await caller.call(request));
          watch.calls++;
          watch.bytes += size;
        }
      };
      const [figures] = await Promise.all([
        watch.measure(warmUp, window, Number(serverPid)),
        ...Array.from({ length: inFlight }, work),
      ]);
      return { figures };
    },
    () => void caller.close(),
  );
  report<CallReport>({});
}

/** Empty messages, which have no number to check. */
class Empty implements Pick<Messages, 'take' | 'check'> {
  readonly #request = new Uint8Array(0);

  take(): Uint8Array {
    return this.#request;
  }

  check(_request: Uint8Array, { length }: Uint8Array): void {
    if (length !== 0) throw new Error(`a wrong answer: ${length} bytes to a request of none`);
  }
}
