// The settings of a simulation run. They are encoded in the URL of its scenario, because nothing
// else is passed to a worker.

import {
  type LinkOptions,
  type Nemesis,
  nemeses,
  type SimulationLevel,
} from '@trunkline/simulation';
import { CALM } from './scenario.ts';

export interface Settings {
  readonly nodes: number;
  readonly clients: number;
  /** Virtual minutes of each seed. */
  readonly minutes: number;
  /** A name of `NEMESES`. */
  readonly nemesis: string;
  readonly level: SimulationLevel;
}

export const DEFAULTS: Settings = {
  nodes: 5,
  clients: 3,
  minutes: 10,
  nemesis: 'swarm',
  level: 'message',
};

type MakeNemesis = (options: { readonly duration: number }) => Nemesis;
// `compose` takes nemeses, and Raft here has a fixed membership.
const { compose: _, membership: __, ...usable } = nemeses;

/** The built-in nemeses by their command-line names, such as 'split-brain'. */
export const NEMESES: Readonly<Record<string, MakeNemesis | undefined>> = {
  ...Object.fromEntries(
    Object.entries(usable).map(([name, make]) => [
      name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
      make as MakeNemesis,
    ]),
  ),
  none: undefined,
};

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
