// A process that opens connections and holds them: `client.js <kind> <address>`.

import { report, runCommands } from '../commands.ts';
import { type Figures, Stopwatch } from '../stopwatch.ts';
import { kindOf } from './kinds.ts';

/**
 * Opens `open` more connections, `atOnce` handshakes at a time; `open: 0` only asks how many are
 * lost. With `calls`, makes calls over all connections instead, `atOnce` at a time.
 */
export interface ClientCommand {
  readonly open: number;
  readonly atOnce: number;
  readonly calls?:
    | { readonly warmUp: number; readonly window: number; readonly serverPid: number }
    | undefined;
}

export interface ClientReport {
  readonly lost: number;
  readonly figures?: Figures;
}

const [kind, address] = process.argv.slice(2);
let opened = 0;
const holder = await kindOf(kind!).connect(address!);

runCommands<ClientCommand, ClientReport>(
  async ({ open, atOnce, calls }) => {
    if (calls !== undefined) return { lost: holder.lost, figures: await call(atOnce, calls) };
    let left = open;
    opened += open;
    const work = async () => {
      while (left-- > 0) await holder.open();
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    return { lost: holder.lost };
  },
  () => void holder.close(),
);
report<ClientReport>({ lost: 0 });

/** Makes calls over the connections in turn, `atOnce` at a time. */
async function call(
  atOnce: number,
  { warmUp, window, serverPid }: NonNullable<ClientCommand['calls']>,
): Promise<Figures> {
  const watch = new Stopwatch();
  let next = 0;
  const work = async () => {
    while (!watch.over) {
      await holder.call(next++ % opened);
      watch.calls++;
    }
  };
  const [figures] = await Promise.all([
    watch.measure(warmUp, window, serverPid),
    ...Array.from({ length: atOnce }, work),
  ]);
  return figures;
}
