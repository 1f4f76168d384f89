// The command line of the benchmark.

import { parseArgs } from 'node:util';
import { isUsable, PEER_NAMES } from './adapters/peers.ts';
import { listed, positive } from './arguments.ts';
import { type Column, columnsOf } from './columns.ts';
import { scenariosOf } from './scenarios/by-name.ts';
import type { Scenario } from './scenarios/scenario.ts';

export interface Options {
  readonly rounds: number;
  /** Milliseconds that are measured, and that run before. */
  readonly window: number;
  readonly warmUp: number;
  readonly scenarios: readonly Scenario[];
  readonly columns: readonly Column[];
  /** Other libraries are measured too, and installed where they are missing. */
  readonly peers: boolean;
  readonly json: boolean;
  /** Short, to see that it works: no bar is judged. */
  readonly smoke: boolean;
  readonly help: boolean;
}

export const USAGE = `usage: node bench/dist/index.js [options]

  --rounds <n>     rounds of all scenarios (5)
  --window <ms>    milliseconds of a measurement (1500), after a third of it as warm-up
  --only <names>   these scenarios alone, by the beginning of their names: s1, s2, s6, s6-elsewhere; comma-separated
  --adapter <names>
                   these adapters alone, and what they are compared with, by the beginning of their names: limit-net, trunkline-tcp,
                   limit-tls, trunkline-tls, trunkline-noise; comma-separated
  --peers          other libraries as well, installed into bench/peers where they are missing: grpc-js, nats (where nats-server is
                   installed), birpc-ws, socket.io, protomux-rpc, zeromq
  --json           the figures as JSON instead of a table
  --smoke          one short round that judges nothing, to see that all of it works
  --help           this text`;

/** @throws TypeError naming the option that is wrong. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean' },
      rounds: { type: 'string' },
      window: { type: 'string' },
      only: { type: 'string' },
      adapter: { type: 'string' },
      peers: { type: 'boolean' },
      json: { type: 'boolean' },
      smoke: { type: 'boolean' },
    },
  });
  const smoke = values.smoke === true;
  const window = positive('window', values.window, smoke ? 60 : 1_500);
  return {
    rounds: positive('rounds', values.rounds, smoke ? 1 : 5),
    window,
    warmUp: window / 3,
    scenarios: scenariosOf(listed(values.only)),
    columns: columnsOf(listed(values.adapter), values.peers === true ? PEER_NAMES.filter(isUsable) : []),
    peers: values.peers === true,
    json: values.json === true,
    smoke,
    help: values.help === true,
  };
}
