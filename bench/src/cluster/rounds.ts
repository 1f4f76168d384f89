// Runs rounds of measurements: with one worker and with several, in turn, each with processes of
// its own.

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Child } from '../child-process.ts';
import { cpuTime } from '../cpu-time.ts';
import type { ClientCommand, ClientReport } from './client.ts';
import type { Options } from './options.ts';
import type { PrimaryReport } from './primary.ts';

export interface Figures {
  /** Calls a second. */
  readonly rate: number;
  /** Nanoseconds of CPU of the primary and all workers per call; absent if it is not reported. */
  readonly serverCpu?: number;
  /** The number of connections of each worker. */
  readonly connections: readonly number[];
}

/** The figures of a round, by the number of workers. */
export type Round = ReadonlyMap<number, Figures>;

/** @param progress receives what is being measured, and how far the run is, from 0 to 1. */
export async function runRounds(
  options: Options,
  progress: (what: string, done: number) => void,
): Promise<Round[]> {
  const rounds: Round[] = [];
  for (let number = 0; number < options.rounds; number++) {
    const counts = number % 2 === 0 ? [1, options.workers] : [options.workers, 1];
    const round = new Map<number, Figures>();
    for (const [at, workers] of counts.entries()) {
      progress(
        `round ${number + 1} of ${options.rounds}: ${workers} workers`,
        (number + at / 2) / options.rounds,
      );
      round.set(workers, await measure(workers, options));
    }
    rounds.push(round);
  }
  return rounds;
}

async function measure(workers: number, options: Options): Promise<Figures> {
  const { kind, clients, connections, inFlight, warmUp, window } = options;
  const address = `tcp://127.0.0.1:${kind === 'thread' ? await freePort() : 0}`;
  const { child: primary, report } = await Child.start<object, PrimaryReport>({
    name: 'the primary',
    script: './cluster/primary.js',
    args: [String(workers), kind, address],
  });
  const started: Child<ClientCommand, ClientReport>[] = [];
  try {
    for (let at = 0; at < clients; at++) {
      const share = Math.floor(connections / clients) + (at < connections % clients ? 1 : 0);
      const { child } = await Child.start<ClientCommand, ClientReport>({
        name: 'a client',
        script: './cluster/client.js',
        args: [report.address!, String(share), String(inFlight)],
      });
      started.push(child);
    }
    const run = (time: number) =>
      Promise.all(started.map((client) => client.run({ window: time })));
    await run(warmUp);
    const before = cpuOf(report.pids!);
    const begin = performance.now();
    const reports = await run(window);
    const seconds = (performance.now() - begin) / 1_000;
    const after = cpuOf(report.pids!);
    const calls = reports.reduce((sum, each) => sum + each.calls!, 0);
    return {
      rate: calls / seconds,
      ...(before !== undefined && after !== undefined && { serverCpu: (after - before) / calls }),
      connections: (await primary.run({})).connections!,
    };
  } finally {
    for (const client of started) client.kill();
    await primary.close();
  }
}

function cpuOf(pids: readonly number[]): number | undefined {
  const times = pids.map(cpuTime);
  return times.every((time) => time !== undefined)
    ? times.reduce((sum, time) => sum + time, 0)
    : undefined;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
