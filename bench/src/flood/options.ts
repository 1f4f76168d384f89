// The command line of the benchmark of a handshake flood.

import { parseArgs } from 'node:util';
import { listed, positive, words } from '../arguments.ts';
import { type Manner, mannersOf } from './manners.ts';

export interface Options {
  readonly rounds: number;
  /** Milliseconds of each part of a round, measured after a warm-up of half that length. */
  readonly window: number;
  /** The manners of the floods; each is a part of every round. */
  readonly manners: readonly Manner[];
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

  --rounds <n>           rounds, each with a quiet part and one of each flood (5)
  --window <ms>          milliseconds of a part (4000), after half of it as warm-up
  --only <names>         these floods alone, comma-separated (hold, hello):
                           hold       every other connection begins TLS, none goes on: places are held, the rest is refused
                           hello      begins TLS, and goes as soon as the server has answered: its signature is wasted
                           handshake  whole handshakes, without a certificate
  --rate <n>             connections a second that a flood opens, where the machine can (10000)
  --at-once <n>          connections of a flood that may be open at the same time (256)
  --calls <n>            calls a second of the honest peer (500)
  --per-source <n>       limits.handshakes.perSource of the server (8)
  --node-flags="<flags>" for the server's Node, say --node-flags="--cpu-prof --cpu-prof-dir=profiles"
  --json                 the figures as JSON instead of a table
  --smoke                one short round that judges nothing, to see that all of it works
  --help                 this text`;

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
    manners: mannersOf(listed(values.only)),
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
