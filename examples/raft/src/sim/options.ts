// The command line of `pnpm sim`.

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
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

Runs Raft on simulated nodes, in virtual time: clients work while a nemesis injects faults, then the cluster must recover. Each seed
always gives the same run. A failure ends with the line that repeats it: SEED=raft:7:2,5-6 pnpm sim

  --seeds <n>       number of seeds (default: 200)
  --from <n>        the first seed (default: 1)
  --minutes <n>     virtual minutes of each run (default: ${DEFAULTS.minutes})
  --hours <n>       virtual hours of each run, instead of --minutes
  --nodes <n>       3 to 9 (default: ${DEFAULTS.nodes})
  --clients <n>     1 to 20 (default: ${DEFAULTS.clients})
  --nemesis <name>  the faults to inject (default: ${DEFAULTS.nemesis}):
                    ${listed(Object.keys(NEMESES))}
  --level <name>    message: whole messages; stream: the bytes of connections (default: ${DEFAULTS.level})
  --workers <n>     threads (default: one for each CPU)
  --record <file>   write the recording of the first failure, for trunkline replay
  --json            print only the outcome, as JSON
  --help            this text`;

/** Returns the options, or 'help'. Throws an Error with a one-line message if they are invalid. */
export function parseOptions(args: readonly string[]): SimOptions | 'help' {
  const { values, tokens } = parseArgs({
    args: args.filter((arg) => arg !== '--'), // Arrives with `pnpm sim -- --nodes 3`.
    options: {
      ...Object.fromEntries(NAMES.map((name) => [name, { type: 'string' } as const])),
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
    tokens: true,
  });
  if (values.help === true) return 'help';
  const text = (name: (typeof NAMES)[number]) =>
    (values as { readonly [name: string]: string | undefined })[name];
  const integer = (name: (typeof NAMES)[number], otherwise: number, least: number, most: number) =>
    whole(name, text(name) ?? String(otherwise), least, most);
  if (text('minutes') !== undefined && text('hours') !== undefined)
    throw new Error('--hours: give --minutes or --hours, not both');
  const settings: Settings = {
    nodes: integer('nodes', DEFAULTS.nodes, 3, 9),
    clients: integer('clients', DEFAULTS.clients, 1, 20),
    minutes:
      text('hours') === undefined
        ? span('minutes', text('minutes') ?? String(DEFAULTS.minutes), 1)
        : span('hours', text('hours')!, 60),
    nemesis: oneOf('nemesis', text('nemesis') ?? DEFAULTS.nemesis, Object.keys(NEMESES)),
    level: oneOf('level', text('level') ?? DEFAULTS.level, ['message', 'stream'] as const),
  };
  const replay = tokens.flatMap((token) =>
    token.kind === 'option' && !SEARCH.includes(token.name)
      ? [token.rawName, token.value ?? '']
      : [],
  );
  return {
    seeds: integer('seeds', 200, 1, 10_000_000),
    from: integer('from', 1, 0, 1_000_000_000),
    workers: integer('workers', availableParallelism(), 1, 1_024),
    settings,
    json: values.json === true,
    record: text('record'),
    replay,
  };
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new Error(`--${name}: expected a whole number from ${least} to ${most}, got '${text}'`);
}

/** Converts a number of units to minutes. */
function span(name: string, text: string, unit: number): number {
  const minutes = Number(text) * unit;
  if (/^\d+(?:\.\d+)?$/.test(text) && minutes >= 1 && minutes <= MOST_MINUTES) return minutes;
  throw new Error(
    `--${name}: expected a number from 1 minute to ${MOST_MINUTES / 60} hours, got '${text}'`,
  );
}

function oneOf<Name extends string>(option: string, name: string, names: readonly Name[]): Name {
  if ((names as readonly string[]).includes(name)) return name as Name;
  throw new Error(`--${option}: expected one of ${names.join(', ')}, got '${name}'`);
}

/** Joins names with commas, in lines that fit the terminal. */
function listed(names: readonly string[]): string {
  return names.reduce((text, name) => {
    const line = text.slice(text.lastIndexOf('\n') + 1);
    return text === ''
      ? name
      : `${text},${line.length + name.length > 95 ? '\n                    ' : ' '}${name}`;
  }, '');
}

const NAMES = [
  'seeds',
  'from',
  'minutes',
  'hours',
  'nodes',
  'clients',
  'nemesis',
  'level',
  'workers',
  'record',
] as const;
/** The options that a replay leaves out. */
const SEARCH = ['seeds', 'from', 'workers', 'record', 'json'];
/** The most virtual minutes of a seed. */
const MOST_MINUTES = 1_000 * 60;
