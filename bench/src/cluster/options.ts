// The command line of the benchmark of a cluster.

import { parseArgs } from 'node:util';
import type { ClusterWorkerKind } from '@trunkline/resilience/cluster';
import { positive } from '../arguments.ts';
import { cores } from '../cores.ts';
import { ROUND_FLAGS, type RoundOptions, roundOptions } from '../round-options.ts';

export interface Options extends RoundOptions {
  /** The number of workers that is compared with one worker. */
  readonly workers: number;
  readonly kind: ClusterWorkerKind;
  /** The number of client processes, which share the connections. */
  readonly clients: number;
  readonly connections: number;
  /** Calls in flight on each connection. */
  readonly inFlight: number;
}

export const USAGE = `usage: node bench/dist/cluster.js [options]

  --rounds <n>       number of rounds, each with one worker and with several (default: 5)
  --workers <n>      the number of workers beside one (default: 2)
  --kind <kind>      process or thread; threads need Node 22.12 or newer (default: process)
  --clients <n>      number of client processes (default: 1; from four cores on, half the cores)
  --connections <n>  number of connections of all clients (default: 64)
  --in-flight <n>    calls in flight on each connection (default: 8)
  --window <ms>      duration of a measurement in milliseconds (default: 3000), after a warm-up of
                     the same length
  --json             prints the figures as JSON instead of a table
  --smoke            runs one short round without bars, to check that everything works
  --help             prints this text`;

/** Reads the command line. @throws TypeError naming the option that is wrong. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      ...ROUND_FLAGS,
      workers: { type: 'string' },
      kind: { type: 'string', default: 'process' },
      clients: { type: 'string' },
      connections: { type: 'string' },
      'in-flight': { type: 'string' },
    },
  });
  const { kind } = values;
  if (kind !== 'process' && kind !== 'thread')
    throw new TypeError(`--kind: must be process or thread, got '${kind}'`);
  return {
    ...roundOptions(values, { rounds: 5, window: 3_000 }),
    workers: positive('workers', values.workers, 2),
    kind,
    clients: positive('clients', values.clients, cores.length >= 4 ? cores.length >> 1 : 1),
    connections: positive('connections', values.connections, 64),
    inFlight: positive('in-flight', values['in-flight'], 8),
  };
}
