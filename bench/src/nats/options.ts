// The command line of the benchmark of NATS.

import { parseArgs } from 'node:util';
import { ROUND_FLAGS, type RoundOptions, roundOptions } from '../round-options.ts';

export type Options = RoundOptions;

export const USAGE = `usage: node bench/dist/nats.js [options]

  --rounds <n>      number of rounds of both columns (default: 5)
  --window <ms>     duration of each of the three tasks of a measurement in milliseconds
                    (default: 1500), after a warm-up of the same length
  --json            prints the figures as JSON instead of a table
  --smoke           runs one short round without bars, to check that everything works
  --help            prints this text`;

/** Reads the command line. @throws TypeError naming the option that is wrong. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({ args, options: ROUND_FLAGS });
  return roundOptions(values, { rounds: 5, window: 1_500 });
}
