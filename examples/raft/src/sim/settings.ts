// The settings of a simulation run, and the command line of `pnpm sim`. The settings are encoded in
// the URL of the scenario, because nothing else is passed to a worker.

import { parseArgs } from 'node:util';
import {
  type LinkOptions,
  type Nemesis,
  nemeses,
  type SimulationLevel,
} from '@trunkline/simulation';
import { oneOf, whole } from '../program.ts';
import { CALM } from './scenario.ts';

export const DEFAULTS = {
  nodes: 5,
  /** Virtual minutes of each seed. */
  minutes: 10,
  /** A name of `NEMESES`. */
  nemesis: 'swarm',
  level: 'message' as SimulationLevel,
};
export type Settings = typeof DEFAULTS;

type MakeNemesis = (options: { readonly duration: number }) => Nemesis;

// `compose` takes nemeses, and Raft here has a fixed membership.
const { compose: _, membership: __, ...usable } = nemeses;

/** The built-in nemeses by their names. */
export const NEMESES: Readonly<Record<string, MakeNemesis | undefined>> = {
  ...usable,
  none: undefined,
};

/** Creates the nemesis; it ends when the calm period begins. */
export function nemesisOf({ nemesis, minutes }: Settings): Nemesis | undefined {
  return NEMESES[nemesis]?.({ duration: Math.max(CALM, minutes * 60_000 - CALM) });
}

/**
 * Default settings for every link, unless the nemesis changes them: a decent network that still
 * loses, duplicates and reorders a little.
 */
export const LINK: LinkOptions = {
  latency: { lognormal: 5, sigma: 0.7 },
  loss: 0.002,
  duplicate: 0.002,
  reorder: 0.01,
};
export const DISK = { sync: [1, 10] } as const;

/** Returns the URL of the scenario's module with these settings. */
export function scenarioUrl(settings: Settings): string {
  const url = new URL('raft-sim.js', import.meta.url);
  url.searchParams.set('settings', JSON.stringify(settings));
  return url.href;
}

/** Returns the settings of a `scenarioUrl`. */
export function settingsOf(url: string): Settings {
  return JSON.parse(new URL(url).searchParams.get('settings')!);
}

export const HELP = `Usage: pnpm sim [options]

Runs Raft on simulated nodes, in virtual time: clients work while a nemesis injects faults, then the
cluster must recover. Each seed always gives the same run. A failure ends with the line that repeats
it: SEED=raft:7:2,5-6 pnpm sim

  --seeds <n>       number of seeds (default: 200)
  --minutes <n>     virtual minutes of each run (default: ${DEFAULTS.minutes})
  --nodes <n>       3 to 9 (default: ${DEFAULTS.nodes})
  --nemesis <name>  the faults to inject (default: ${DEFAULTS.nemesis}):
                    ${Object.keys(NEMESES)
                      .join(', ')
                      .replace(/(.{60,75}), /g, '$1,\n                    ')}
  --level <name>    message: whole messages; stream: the bytes of connections (default: ${DEFAULTS.level})
  --record <file>   write the recording of the first failure, for trunkline replay
  --help            this text`;

/** Returns the options. Throws an Error with a one-line message if they are invalid. */
export function parseOptions(args: string[]) {
  const text = (value: string | number) => ({ type: 'string', default: String(value) }) as const;
  const { values } = parseArgs({
    args,
    options: {
      seeds: text(200),
      minutes: text(DEFAULTS.minutes),
      nodes: text(DEFAULTS.nodes),
      nemesis: text(DEFAULTS.nemesis),
      level: text(DEFAULTS.level),
      record: { type: 'string' },
    },
  });
  const settings: Settings = {
    nodes: whole('nodes', values.nodes, 3, 9),
    minutes: whole('minutes', values.minutes, 1, 60_000),
    nemesis: oneOf('nemesis', values.nemesis, Object.keys(NEMESES)),
    level: oneOf('level', values.level, ['message', 'stream']),
  };
  return {
    settings,
    seeds: whole('seeds', values.seeds, 1, 10_000_000),
    record: values.record,
  };
}

/** Returns the options that differ from the defaults, as a command line. */
export function optionsOf(settings: Settings): string {
  return (Object.keys(settings) as (keyof Settings)[])
    .filter((name) => settings[name] !== DEFAULTS[name])
    .map((name) => ` --${name} ${settings[name]}`)
    .join('');
}
