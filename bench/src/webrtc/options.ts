// The command line of the benchmark of WebRTC.

import { parseArgs } from 'node:util';
import { listed } from '../arguments.ts';
import { named } from '../named.ts';
import { ROUND_FLAGS, type RoundOptions, roundOptions } from '../round-options.ts';

/** The places where a client can run; the server always runs in Node. */
export const PLACES = ['node', 'chromium'] as const;
export type Place = (typeof PLACES)[number];

export interface Options extends RoundOptions {
  readonly places: readonly Place[];
}

export const USAGE = `usage: node bench/dist/webrtc.js [options]

  --rounds <n>      number of rounds of all columns (default: 5)
  --window <ms>     duration of each of the three tasks of a measurement in milliseconds
                    (default: 1500), after a warm-up of the same length
  --client <names>  measures only clients in these places, comma-separated: node, chromium
  --json            prints the figures as JSON instead of a table
  --smoke           runs one short round without bars, to check that everything works
  --help            prints this text`;

/** Reads the command line. @throws TypeError naming the option that is wrong. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      ...ROUND_FLAGS,
      client: { type: 'string' },
    },
  });
  return {
    ...roundOptions(values, { rounds: 5, window: 1_500 }),
    places: named('client', 'place', PLACES, (place) => place, listed(values.client)),
  };
}
