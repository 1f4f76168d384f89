// Connections of one kind: a server's process, and others that open connections to it and hold them.

import { Child, withChildren } from '../child-process.ts';
import { cores } from '../cores.ts';
import { cpuTime } from '../cpu-time.ts';
import type { Figures } from '../stopwatch.ts';
import type { ClientCommand, ClientReport } from './client.ts';
import type { Memory, ServerCommand, ServerReport } from './server.ts';

export interface Connections {
  /** Opens as many more connections, divided among the clients, the last clients first. */
  open(count: number): Promise<void>;
  /** Makes `atOnce` calls at a time over the first `count` connections. */
  call(count: number, atOnce: number, window: number): Promise<Figures>;
  /** Returns the server's memory after GC. */
  memory(): Promise<Memory>;
  /** Returns the connections that came up at the server, and those that either end lost. */
  counts(): Promise<{ readonly up: number; readonly lost: number }>;
  /** Returns the connections that have received something since the last time. */
  heard(): Promise<number>;
  /** The server's CPU so far in nanoseconds; undefined if the system does not report it. */
  cpu(): number | undefined;
}

/** Starts the processes, and ends them when `work` is done. */
export function withConnections<T>(
  kind: string,
  { clients: count, node }: { readonly clients: number; readonly node?: string | undefined },
  work: (connections: Connections) => Promise<T>,
): Promise<T> {
  return withChildren(async (started) => {
    const [serverCore, ...others] = cores;
    const { child: server, report } = await Child.start<ServerCommand, ServerReport>({
      name: `the server of ${kind}`,
      script: './connections/server.js',
      args: [kind],
      core: serverCore,
      flags: ['--expose-gc'],
      node,
      started,
    });
    const clients: Child<ClientCommand, ClientReport>[] = [];
    for (let i = 0; i < count; i++) {
      const { child } = await Child.start<ClientCommand, ClientReport>({
        name: `a client of ${kind}`,
        script: './connections/client.js',
        args: [kind, report.address!],
        node,
        core: others.length > 0 ? others.join(',') : undefined,
        started,
      });
      clients.push(child);
    }
    const result = await work({
      async open(count) {
        const atOnce = Math.max(Math.floor(SHAKING / clients.length), 1);
        await Promise.all(
          clients.map((client, at) =>
            client.run({ open: Math.floor((count + at) / clients.length), atOnce }),
          ),
        );
      },
      async call(count, atOnce, window) {
        const holding = clients.slice(Math.max(clients.length - count, 0));
        const share = Math.max(Math.floor(atOnce / holding.length), 1);
        const calls = { window, warmUp: window / 3, serverPid: server.pid };
        const reports = await Promise.all(
          holding.map((client) => client.run({ open: 0, atOnce: share, calls })),
        );
        return together(reports.map(({ figures }) => figures!));
      },
      memory: async () => (await server.run({ type: 'memory' })).memory!,
      async counts() {
        const { up, down } = (await server.run({ type: 'counts' })).counts!;
        const ends = await Promise.all(clients.map((client) => client.run({ open: 0, atOnce: 0 })));
        return {
          up,
          lost: Math.max(
            down,
            ends.reduce((sum, { lost }) => sum + lost, 0),
          ),
        };
      },
      heard: async () => (await server.run({ type: 'heard' })).heard!,
      cpu: () => cpuTime(server.pid),
    });
    // Kills the clients: how so many connections close in order is not measured and would take long.
    for (const client of clients) client.kill();
    await server.close();
    return result;
  });
}

/**
 * Adds the figures of clients. Each has divided its own CPU, and the server's CPU in the window, by
 * the number of its own calls; this undoes it.
 */
function together(figures: readonly Figures[]): Figures {
  const rate = figures.reduce((sum, each) => sum + each.rate, 0);
  const perCall = (of: 'serverCpu' | 'clientCpu', share: number) =>
    figures.some((each) => each[of] === undefined)
      ? {}
      : { [of]: figures.reduce((sum, each) => sum + each[of]! * each.rate, 0) / share / rate };
  return { rate, ...perCall('serverCpu', figures.length), ...perCall('clientCpu', 1) };
}

/**
 * Handshakes at a time, over all clients; below the 64 that a server admits at once
 * (limits.handshakes.pending).
 */
const SHAKING = 48;
