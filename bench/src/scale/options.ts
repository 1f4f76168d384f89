// The command line of the benchmark of scale.

import { parseArgs } from 'node:util';
import { listed, positive } from '../arguments.ts';
import type { Part } from './point.ts';

export interface Options {
  readonly parts: readonly Part[];
  readonly points: Readonly<Record<Part, readonly number[]>>;
  readonly rounds: number;
  /** Milliseconds of measurement, and of warm-up. */
  readonly window: number;
  readonly warmUp: number;
  /** The number of processes that hold the connections. */
  readonly clients: number;
  readonly json: boolean;
  readonly report: boolean;
  readonly help: boolean;
}

export const USAGE = `usage: node bench/dist/scale.js [options]

  --only <names>         measures only these parts, comma-separated: flight, connections, sizes
  --in-flight <n>        calls in flight on one connection; comma-separated
                         (default: 1,8,128,512,2048)
  --connections <n>      connections of one server, in rising order; comma-separated
                         (default: 1,100,1000,10000)
  --sizes <bytes>        sizes of a message; comma-separated
                         (default: 0,64,1024,16384,65536,1048576,16777216,67108864)
  --clients <n>          number of processes that hold the connections (default: 4)
  --rounds <n>           number of rounds of all points (default: 3)
  --window <ms>          duration of a measurement in milliseconds (default: 1000), after a warm-up
                         of a third as long
  --report               prints Markdown instead of tables, and updates these parts of
                         docs/performance.md and their plots
  --json                 prints the figures as JSON instead of tables
  --smoke                measures few points in one short round, to check that everything works
  --help                 prints this text`;

const PARTS: readonly Part[] = ['flight', 'connections', 'sizes'];

/** Reads the command line. @throws TypeError naming the option that is wrong. */
export function readOptions(args: string[]): Options {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({
    args,
    options: {
      only: text,
      'in-flight': text,
      connections: text,
      sizes: text,
      clients: text,
      rounds: text,
      window: text,
      report: flag,
      json: flag,
      smoke: flag,
      help: flag,
    },
  });
  const smoke = values.smoke === true;
  const window = positive('window', values.window, smoke ? 60 : 1_000);
  const names = values.only === undefined ? PARTS : listed(values.only);
  const unknown = names.find((name) => !PARTS.includes(name as Part));
  if (unknown !== undefined)
    throw new TypeError(`--only: there is no '${unknown}'; there are ${PARTS.join(', ')}`);
  return {
    parts: PARTS.filter((part) => names.includes(part)),
    points: {
      flight: ascending('in-flight', values['in-flight'], smoke ? [1, 8] : [1, 8, 128, 512, 2_048]),
      connections: ascending(
        'connections',
        values.connections,
        smoke ? [1, 20] : [1, 100, 1_000, 10_000],
      ),
      sizes: ascending(
        'sizes',
        values.sizes,
        smoke ? [0, 1_024] : [0, 64, 1_024, 16_384, 65_536, 1_048_576, 16_777_216, 67_108_864],
      ),
    },
    rounds: positive('rounds', values.rounds, smoke ? 1 : 3),
    window,
    warmUp: window / 3,
    clients: positive('clients', values.clients, smoke ? 2 : 4),
    json: values.json === true,
    report: values.report === true && !smoke,
    help: values.help === true,
  };
}

/**
 * Reads rising whole numbers. Only a size may be 0; other sizes are at least 8 bytes, which hold a
 * message's number.
 */
function ascending(
  name: string,
  text: string | undefined,
  otherwise: readonly number[],
): readonly number[] {
  if (text === undefined) return otherwise;
  const values = listed(text).map((each) =>
    name === 'sizes' && each === '0' ? 0 : positive(name, each, 1),
  );
  if (values.some((value, at) => at > 0 && value <= values[at - 1]!))
    throw new TypeError(`--${name}: must be numbers in rising order, got '${text}'`);
  if (name === 'sizes' && values.some((value) => value > 0 && value < 8))
    throw new TypeError(`--${name}: must be 0 or at least 8 bytes, got '${text}'`);
  return values;
}
