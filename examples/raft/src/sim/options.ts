// The command line of `pnpm sim`.

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { oneOf, whole } from '../program.ts';
import { DEFAULTS, NEMESES, type Settings } from './settings.ts';

export interface SimOptions {
  readonly seeds: number;
  readonly from: number;
  readonly workers: number;
  readonly settings: Settings;
  /** Prints the outcome as JSON, and nothing else. */
  readonly json: boolean;
  /** The file that gets the recording of the first failure. */
  readonly record: string | undefined;
  /** The options of a replay: all except the choice of seeds, the workers and the output. */
  readonly replay: readonly string[];
}

export const HELP = `Usage: pnpm sim [options]

Runs Raft on simulated nodes, in virtual time: clients work while a nemesis injects faults, then the
cluster must recover. Each seed always gives the same run. A failure ends with the line that repeats
it: SEED=raft:7:2,5-6 pnpm sim

  --seeds <n>       number of seeds (default: 200)
  --from <n>        the first seed (default: 1)
  --minutes <n>     virtual minutes of each run (default: ${DEFAULTS.minutes})
  --hours <n>       virtual hours of each run, instead of --minutes
  --nodes <n>       3 to 9 (default: ${DEFAULTS.nodes})
  --clients <n>     1 to 20 (default: ${DEFAULTS.clients})
  --nemesis <name>  the faults to inject (default: ${DEFAULTS.nemesis}):
                    ${Object.keys(NEMESES)
                      .join(', ')
                      .replace(/(.{60,75}), /g, '$1,\n                    ')}
  --level <name>    message: whole messages; stream: the bytes of connections (default: ${DEFAULTS.level})
  --workers <n>     threads (default: one for each CPU)
  --record <file>   write the recording of the first failure, for trunkline replay
  --json            print only the outcome, as JSON
  --help            this text`;

/** Returns the options. Throws an Error with a one-line message if they are invalid. */
export function parseOptions(args: string[]): SimOptions {
  const text = (value: string | number) => ({ type: 'string', default: String(value) }) as const;
  const { values, tokens } = parseArgs({
    args,
    options: {
      seeds: text(200),
      from: text(1),
      minutes: { type: 'string' },
      hours: { type: 'string' },
      nodes: text(DEFAULTS.nodes),
      clients: text(DEFAULTS.clients),
      nemesis: text(DEFAULTS.nemesis),
      level: text(DEFAULTS.level),
      workers: text(availableParallelism()),
      record: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
    tokens: true,
  });
  const { seeds, from, minutes, hours, nodes, clients, nemesis, level, workers } = values;
  if (minutes !== undefined && hours !== undefined)
    throw new Error('--hours: give --minutes or --hours, not both');
  const replay = tokens.flatMap((token) =>
    token.kind === 'option' && !SEARCH.includes(token.name)
      ? [token.rawName, token.value ?? '']
      : [],
  );
  return {
    seeds: whole('seeds', seeds, 1, 10_000_000),
    from: whole('from', from, 0, 1_000_000_000),
    workers: whole('workers', workers, 1, 1_024),
    settings: {
      nodes: whole('nodes', nodes, 3, 9),
      clients: whole('clients', clients, 1, 20),
      minutes:
        hours === undefined
          ? span('minutes', minutes ?? String(DEFAULTS.minutes), 1)
          : span('hours', hours, 60),
      nemesis: oneOf('nemesis', nemesis, Object.keys(NEMESES)),
      level: oneOf('level', level, ['message', 'stream']),
    },
    json: values.json,
    record: values.record,
    replay,
  };
}

/** Converts a number of units to minutes. */
function span(option: string, text: string, unit: number): number {
  const minutes = Number(text) * unit;
  if (/^\d+(?:\.\d+)?$/.test(text) && minutes >= 1 && minutes <= MOST_HOURS * 60) return minutes;
  throw new Error(
    `--${option}: expected a number from 1 minute to ${MOST_HOURS} hours, got '${text}'`,
  );
}

/** The options that a replay leaves out. */
const SEARCH = ['seeds', 'from', 'workers', 'record', 'json'];
/** The most virtual hours of a seed. */
const MOST_HOURS = 1_000;
