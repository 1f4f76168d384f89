// The command line of the benchmark of NATS.

import { parseArgs } from 'node:util';
import { positive } from '../arguments.ts';
import type { Times } from './tasks.ts';

export interface Options extends Times {
  readonly rounds: number;
  readonly json: boolean;
  /** Runs one short round that judges nothing. */
  readonly smoke: boolean;
  readonly help: boolean;
}

export const USAGE = `usage: node bench/dist/nats.js [options]

  --rounds <n>      number of rounds of both columns (default: 5)
  --window <ms>     duration of each of the three tasks of a measurement in milliseconds
                    (default: 1500), after a warm-up of the same length
  --json            prints the figures as JSON instead of a table
  --smoke           runs one short round without bars, to check that everything works
  --help            prints this text`;

/** Reads the command line. @throws TypeError naming the option that is wrong. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean' },
      rounds: { type: 'string' },
      window: { type: 'string' },
      json: { type: 'boolean' },
      smoke: { type: 'boolean' },
    },
  });
  const smoke = values.smoke === true;
  const window = positive('window', values.window, smoke ? 100 : 1_500);
  return {
    rounds: positive('rounds', values.rounds, smoke ? 1 : 5),
    window,
    warmUp: window,
    json: values.json === true,
    smoke,
    help: values.help === true,
  };
}
