// The command line of the benchmark of a handshake flood.

import { parseArgs } from 'node:util';
import { listed, positive, words } from '../arguments.ts';
import { type FloodKind, floodKindsOf } from './flood-kinds.ts';

export interface Options {
  readonly rounds: number;
  /** Milliseconds of each part of a round, measured after a warm-up of half that length. */
  readonly window: number;
  /** The kinds of floods; each is a part of every round. */
  readonly kinds: readonly FloodKind[];
  /** Connections that a flood opens a second, and how many of them may wait for an answer. */
  readonly rate: number;
  readonly atOnce: number;
  /** Calls of the honest peer a second. */
  readonly calls: number;
  /** `limits.handshakes.perSource` of the server. */
  readonly perSource: number;
  /** Flags for the server's Node. */
  readonly nodeFlags: readonly string[];
  readonly json: boolean;
  /** Runs one short round that judges nothing. */
  readonly smoke: boolean;
  readonly help: boolean;
}

export const USAGE = `usage: node bench/dist/flood.js [options]

  --rounds <n>           number of rounds, each with a quiet part and one of each flood (default: 5)
  --window <ms>          duration of a part in milliseconds (default: 4000), after a warm-up of half
                         as long
  --only <names>         runs only these floods, comma-separated (default: hold, hello):
                           hold       every other connection begins TLS and none continues, so that
                                      slots stay taken and the rest is refused
                           hello      begins TLS and disconnects once the server has answered, so
                                      that its signature is wasted
                           handshake  makes whole handshakes without a certificate
  --rate <n>             connections a second that a flood opens, if it can (default: 10000)
  --at-once <n>          number of open connections of a flood at most (default: 256)
  --calls <n>            calls a second of the honest peer (default: 500)
  --per-source <n>       limits.handshakes.perSource of the server (default: 8)
  --node-flags="<flags>" flags for the server's Node, such as
                         --node-flags="--cpu-prof --cpu-prof-dir=profiles"
  --json                 prints the figures as JSON instead of a table
  --smoke                runs one short round without bars, to check that everything works
  --help                 prints this text`;

/** Reads the command line. @throws TypeError naming the option that is wrong. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean' },
      rounds: { type: 'string' },
      window: { type: 'string' },
      only: { type: 'string' },
      rate: { type: 'string' },
      'at-once': { type: 'string' },
      calls: { type: 'string' },
      'per-source': { type: 'string' },
      'node-flags': { type: 'string' },
      json: { type: 'boolean' },
      smoke: { type: 'boolean' },
    },
  });
  const smoke = values.smoke === true;
  return {
    rounds: positive('rounds', values.rounds, smoke ? 1 : 5),
    window: positive('window', values.window, smoke ? 200 : 4_000),
    kinds: floodKindsOf(listed(values.only)),
    rate: positive('rate', values.rate, 10_000),
    atOnce: positive('at-once', values['at-once'], 256),
    calls: positive('calls', values.calls, 500),
    perSource: positive('per-source', values['per-source'], 8),
    nodeFlags: words(values['node-flags']),
    json: values.json === true,
    smoke,
    help: values.help === true,
  };
}
