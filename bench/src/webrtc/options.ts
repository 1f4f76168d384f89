// The command line of the benchmark of WebRTC.

import { parseArgs } from 'node:util';
import { listed, positive } from '../arguments.ts';
import { named } from '../named.ts';
import type { Times } from './tasks.ts';

/** Where a client runs; the server always runs in Node. */
export const PLACES = ['node', 'chromium'] as const;
export type Place = (typeof PLACES)[number];

export interface Options extends Times {
  readonly rounds: number;
  readonly places: readonly Place[];
  readonly json: boolean;
  /** Runs one short round that judges nothing. */
  readonly smoke: boolean;
  readonly help: boolean;
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
      help: { type: 'boolean' },
      rounds: { type: 'string' },
      window: { type: 'string' },
      client: { type: 'string' },
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
    places: named('client', 'place', PLACES, (place) => place, listed(values.client)),
    json: values.json === true,
    smoke,
    help: values.help === true,
  };
}
