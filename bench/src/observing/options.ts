// The command line of the benchmark of observing.

import { existsSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { listed } from '../arguments.ts';
import { named } from '../named.ts';
import { ROUND_FLAGS, type RoundOptions, roundOptions } from '../round-options.ts';

/** The backends over which calls are measured. */
export const CARRIERS = ['inmem', 'tcp'] as const;
export type Carrier = (typeof CARRIERS)[number];

export interface Options extends RoundOptions {
  readonly carriers: readonly Carrier[];
  /** The URL of bench/dist/ of the checkout to compare with; undefined without one. */
  readonly before: string | undefined;
  /** Writes the figures into docs/performance.md too. */
  readonly report: boolean;
}

export const USAGE = `usage: node bench/dist/observing.js [options]

  --before <folder>  also compares calls that nobody observes with those of another checkout, which
                     is built
  --carrier <names>  measures only these, comma-separated: inmem, tcp
  --rounds <n>       number of rounds of all rows (default: 21)
  --window <ms>      duration of a measurement in milliseconds (default: 1500), after a warm-up of
                     the same length
  --report           also updates this part of docs/performance.md
  --json             prints the figures as JSON instead of a table
  --smoke            runs one short round without bars, to check that everything works
  --help             prints this text`;

/** Reads the command line. @throws TypeError naming the option that is wrong. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      ...ROUND_FLAGS,
      before: { type: 'string' },
      carrier: { type: 'string' },
      report: { type: 'boolean' },
    },
  });
  const rounds = roundOptions(values, { rounds: 21, window: 1_500 });
  return {
    ...rounds,
    carriers: named('carrier', 'carrier', CARRIERS, (carrier) => carrier, listed(values.carrier)),
    before: values.before === undefined ? undefined : benchOf(values.before),
    report: values.report === true && !rounds.smoke,
  };
}

function benchOf(folder: string): string {
  const path = resolve(folder, 'bench', 'dist') + sep;
  if (!existsSync(`${path}child.js`))
    throw new TypeError(
      `--before: must be the folder of a checkout that is built, got '${folder}' (there is no bench/dist/child.js)`,
    );
  return new URL(`file://${path}`).href;
}
