// A server and clients of one adapter, each in its own process and on its own core.

import type { Figures } from './benchmark.ts';
import type { EndCommands, Run } from './child.ts';
import { type Child, withChildren } from './child-process.ts';
import { cores } from './cores.ts';
import type { Memory } from './memory.ts';

export interface Pair {
  /** Opens as many more connections, divided among the clients. */
  open(count: number): Promise<void>;
  /** Returns the server's memory after GC. */
  memory(): Promise<Memory>;
  /** Runs a scenario at each client. */
  run(what: Run): Promise<Figures>;
}

interface Processes {
  /** The number of clients. Default: one. */
  readonly clients?: number;
  /** The URL of bench/dist/ in another checkout, whose code they run. Default: this one. */
  readonly checkout?: string | undefined;
}

/** Starts the processes, and ends them when `work` is done. */
export function withPair<T>(
  adapter: string,
  { clients: count = 1, checkout = import.meta.url }: Processes,
  work: (pair: Pair) => Promise<T>,
): Promise<T> {
  return withChildren(async (start) => {
    const script = new URL('child.js', checkout).href;
    const startOne = (role: string, core: string | undefined) =>
      start<EndCommands>({ name: `the ${role} of ${adapter}`, script, args: [adapter], core });
    const [serverCore, ...others] = cores;
    const server = await startOne('server', serverCore);
    const address = await server.call('serve');
    const clients: Child<EndCommands>[] = [];
    for (let at = 0; at < count; at++) {
      const core = others.length === 0 ? undefined : count === 1 ? others[0] : others.join();
      clients.push(await startOne('client', core));
    }
    const result = await work({
      async open(wanted) {
        const atOnce = Math.ceil(SHAKING / count);
        const shareOf = (at: number) => Math.floor((wanted + at) / count);
        await Promise.all(
          clients.map((client, at) => client.call('open', address, shareOf(at), atOnce)),
        );
      },
      memory: () => server.call('memory'),
      run: async (what) =>
        together(await Promise.all(clients.map((client) => client.call('run', server.pid, what)))),
    });
    // How many connections close in order is not measured and would take long.
    for (const client of clients) await (count === 1 ? client.close() : client.kill());
    await server.close();
    return result;
  });
}

/** Measures a scenario of calls, or a load, over one connection between two fresh processes. */
export function measurePair(
  adapter: string,
  { checkout, ...what }: Run & Pick<Processes, 'checkout'>,
): Promise<Figures> {
  return withPair(adapter, { checkout }, async (pair) => {
    await pair.open(1);
    return pair.run(what);
  });
}

/**
 * Adds the figures of clients. Each has divided its own CPU, and the server's CPU in the window, by
 * the number of its own calls; this undoes it.
 */
function together(all: readonly Figures[]): Figures {
  if (all.length === 1) return all[0]!;
  const sum = (of: (figures: Figures) => number) =>
    all.reduce((total, each) => total + of(each), 0);
  const rate = sum((each) => each['rate']!);
  const perCall = (key: string) => sum((each) => each[key]! * each['rate']!) / rate;
  return {
    rate,
    bulk: sum((each) => each['bulk']!),
    clientCpu: perCall('clientCpu'),
    serverCpu: perCall('serverCpu') / all.length,
  };
}

/** Handshakes at a time, below the 64 that a server admits at once (limits.handshakes.pending). */
const SHAKING = 16;
