// One end of a measurement, as a process of its own: `child.js server <adapter>`, or `child.js client <adapter> <address> <pid of the server>`.
// A client runs the scenario that its parent names. When the parent lets go of it, it closes, and ends because nothing is left to do.

import { adapterOf } from './adapters/by-name.ts';
import { loadPeer } from './adapters/peers.ts';
import { answer } from './messages.ts';
import { obey, report } from './orders.ts';
import { CALLS } from './scenarios/calls.ts';
import { type Figures, Stopwatch } from './stopwatch.ts';

/** From the parent: which scenario a client is to run, for how many milliseconds. */
export interface Order {
  readonly scenario: string;
  readonly warmUp: number;
  readonly window: number;
}

/** To the parent: it is ready, or what an order came to. `figures` null: the scenario doesn't suit the adapter. */
export interface Report {
  readonly address?: string;
  readonly figures?: Figures | null;
}

const [role, name, address, serverPid] = process.argv.slice(2);
const adapter = (await loadPeer(name!)) ?? (await adapterOf(name!));
await (role === 'server' ? server() : client());

async function server(): Promise<void> {
  const serving = await adapter.serve(answer);
  process.on('disconnect', () => void serving.close());
  report<Report>({ address: serving.address });
}

async function client(): Promise<void> {
  const caller = await adapter.connect(address!);
  obey<Order, Report>(
    async ({ scenario: wanted, warmUp, window }) => {
      const scenario = CALLS.find((each) => each.name === wanted)!;
      if (!scenario.suits(caller)) return { figures: null };
      const watch = new Stopwatch();
      const [figures, others] = await Promise.all([watch.measure(warmUp * (scenario.warmUps ?? 1), window, Number(serverPid)), scenario.run(caller, watch)]);
      return { figures: { ...figures, ...others } };
    },
    () => void caller.close(),
  );
  report<Report>({});
}
