// Measures one kind of connection: opens connections from several processes, measures what they
// take at the server, and keeps them for a while.

import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from '../child-process.ts';
import { cores } from '../cores.ts';
import { cpuTime } from '../cpu-time.ts';
import { bareOf, type KindName } from './by-name.ts';
import type { ClientCommand, ClientReport } from './client.ts';
import type { Counts } from './kind.ts';
import type { Options } from './options.ts';
import type { Memory, ServerCommand, ServerReport } from './server.ts';

type Server = Child<ServerCommand, ServerReport>;
type Client = Child<ClientCommand, ClientReport>;

export interface Started {
  readonly server: Server;
  readonly clients: readonly Client[];
}

export interface Measurement {
  readonly kind: KindName;
  readonly connections: number;
  /** Connections opened a second, with one small call on each. */
  readonly connects: number;
  /** Memory for each connection: when all were open, and at the end of the time they were kept. */
  readonly opened: Memory;
  readonly kept?: Memory | undefined;
  /** The figures of keeping the connections; absent if they were not kept. */
  readonly keeping?: Keeping | undefined;
}

export interface Keeping {
  readonly minutes: number;
  /** Connections that came up at the server since the start. */
  readonly up: number;
  /** Connections that went down at either end since the start. */
  readonly lost: number;
  /** Connections that received something while they were kept. */
  readonly heard: number;
  /** CPU of the server as a share of one core; absent if the system does not report it. */
  readonly cpu?: number | undefined;
}

type Progress = (what: string, done: number) => void;

/** @param progress receives the current step, and its progress from 0 to 1. */
export async function measure(
  kind: KindName,
  options: Options,
  progress: Progress,
): Promise<Measurement> {
  const { count, minutes } = options;
  const processes: { kill(): void }[] = [];
  try {
    const { server, clients } = await start(kind, options, processes);
    // Opens a few connections first, so that code compiled and memory allocated once is not counted
    // per connection.
    const first = Math.ceil(count * WARM_UP);
    await open(clients, first);
    const before = await memoryOf(server);
    const begin = performance.now();
    await watched(server, open(clients, count - first), ({ up }) =>
      progress(`${kind}: ${up} of ${count} open`, up / count),
    );
    const connects = ((count - first) / (performance.now() - begin)) * 1_000;
    const each = (after: Memory) => share(before, after, count - first);
    const opened = each(await memoryOf(server));
    const measured = { kind, connections: count, connects, opened };
    // Bare sockets are not kept: nothing keeps them alive or would notice their loss.
    if (bareOf(kind) === undefined) return await ended(measured);
    const keeping = await keep(server, clients, minutes, (left, lost) =>
      progress(
        `${kind}: ${count} kept, ${lost} lost, ${left.toFixed(1)} minutes left`,
        1 - left / minutes,
      ),
    );
    return await ended({ ...measured, keeping, kept: each(await memoryOf(server)) });

    async function ended(measurement: Measurement): Promise<Measurement> {
      // Kills the clients: how so many connections close in order is not measured here and would
      // take long.
      for (const client of clients) client.kill();
      await server.close();
      return measurement;
    }
  } finally {
    for (const process of processes) process.kill();
  }
}

/** @param started receives each process as it starts, so that the caller can kill it in the end. */
export async function start(
  kind: KindName,
  {
    clients: count,
    nodeFlags,
    node,
  }: Pick<Options, 'clients' | 'nodeFlags'> & { readonly node?: string | undefined },
  started: { kill(): void }[],
): Promise<Started> {
  const [serverCore, ...others] = cores;
  const { child: server, report } = await Child.start<ServerCommand, ServerReport>({
    name: `the server of ${kind}`,
    script: './connections/server.js',
    args: [kind],
    core: serverCore,
    flags: ['--expose-gc', ...nodeFlags],
    node,
  });
  started.push(server);
  const clients: Client[] = [];
  for (let i = 0; i < count; i++) {
    const { child } = await Child.start<ClientCommand, ClientReport>({
      name: `a client of ${kind}`,
      script: './connections/client.js',
      args: [kind, report.address!],
      node,
      core: others.length > 0 ? others.join(',') : undefined,
    });
    started.push(child);
    clients.push(child);
  }
  return { server, clients };
}

/** Divides `count` connections among the clients, the last clients first. */
export async function open(clients: readonly Client[], count: number): Promise<void> {
  const atOnce = Math.max(Math.floor(SHAKING / clients.length), 1);
  const shares = clients.map((_, at) => Math.floor((count + at) / clients.length));
  await Promise.all(clients.map((client, at) => client.run({ open: shares[at]!, atOnce })));
}

/** Reports what the server has seen until the work is done. */
async function watched(
  server: Server,
  work: Promise<void>,
  tell: (counts: Counts) => void,
): Promise<void> {
  let isOver = false;
  const end = () => void (isOver = true);
  work.then(end, end);
  while (!isOver) {
    tell((await server.run({ type: 'counts' })).counts!);
    await Promise.race([work.catch(() => {}), sleep(TELLING)]);
  }
  await work;
}

async function keep(
  server: Server,
  clients: readonly Client[],
  minutes: number,
  tell: (left: number, lost: number) => void,
): Promise<Keeping> {
  await server.run({ type: 'mark' });
  const begin = performance.now();
  const end = begin + minutes * 60_000;
  const before = cpuTime(server.pid);
  for (;;) {
    const { up, down } = (await server.run({ type: 'counts' })).counts!;
    const ended = await Promise.all(clients.map((client) => client.run({ open: 0, atOnce: 0 })));
    const lost = Math.max(
      down,
      ended.reduce((sum, each) => sum + each.lost, 0),
    );
    const left = end - performance.now();
    tell(Math.max(left, 0) / 60_000, lost);
    if (left <= 0) {
      const after = cpuTime(server.pid);
      const cpu =
        before === undefined || after === undefined
          ? undefined
          : (after - before) / 1e6 / (performance.now() - begin);
      return { minutes, up, lost, heard: (await server.run({ type: 'heard' })).heard ?? 0, cpu };
    }
    await sleep(Math.min(left, KEEPING));
  }
}

/** Returns the server's memory after GC. */
export async function memoryOf(server: Server): Promise<Memory> {
  return (await server.run({ type: 'memory' })).memory!;
}

/** Returns the growth of memory per connection. */
export function share(before: Memory, after: Memory, count: number): Memory {
  const each = (of: keyof Memory) => (after[of] - before[of]) / count;
  return { rss: each('rss'), heap: each('heap'), external: each('external') };
}

const WARM_UP = 0.05;
/**
 * Handshakes at a time, over all clients; below the 64 that a server admits at once
 * (limits.handshakes.pending).
 */
const SHAKING = 48;
/** The time in milliseconds between two polls. */
const TELLING = 1_000;
const KEEPING = 5_000;
