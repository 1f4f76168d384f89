// What a search is told: checked, and complete.

import { callback, integer, type OptionsInput, optional, optionsSchema, parseOptions, reference, text, withDefault } from '@trunkline/transport-core';
import type { ScheduledFault } from '../faults/fault.ts';
import type { Nemesis } from '../faults/nemesis.ts';
import { CALM, type LinkOptions, linkSettings } from '../network/link-settings.ts';
import type { Level } from '../network/sim-network.ts';
import { checkDisk, type DiskOptions } from '../nodes/node-store.ts';
import type { LabOptions, Scenario } from './lab.ts';

export interface ExploreOptions {
  /** The first seed. Default 1. */
  readonly seed?: number | undefined;
  /** How many seeds, from `seed` on; or a list of them. They run in rising order. Default 1: `seed` alone. */
  readonly seeds?: number | readonly number[] | undefined;
  /**
   * The scenario's name in replay lines. The environment's SEED, as such a line gives it, has the search of that name run that seed alone;
   * other searches of the process take no notice. Default: the name of the function, or of the module's file; a second search with the same
   * default in a thread gets '-2'. At most 100 characters, without white space and colons.
   */
  readonly name?: string | undefined;
  /**
   * Declares nodes on the simulation that it is given, and drives them; a seed fails where it rejects. A function, or, for `workers` above 1,
   * the URL of a module whose default export it is. The module may also export `nemesis`, and `options` { level, link, disk, strict }: these
   * hold where explore is given none.
   */
  readonly scenario: Scenario | URL | string;
  /** What goes wrong. For `workers` above 1 a list of faults, or an export of the module, as a function cannot cross. */
  readonly nemesis?: Nemesis | readonly ScheduledFault[] | undefined;
  /** As createSimulation's. */
  readonly level?: Level | undefined;
  readonly link?: LinkOptions | undefined;
  readonly disk?: DiskOptions | undefined;
  readonly strict?: boolean | undefined;
  /** Threads that run seeds. Default 1: in line. A browser runs them in line in any case. */
  readonly workers?: number | undefined;
  /** Failures that are enough; `Infinity`: every seed is run. Default 1. */
  readonly stopAfter?: number | undefined;
  /** Whether to look for the smallest schedule that still fails. Default true. */
  readonly shrink?: boolean | undefined;
  /** Runs that this may take for each failure. Default 200. */
  readonly shrinkRuns?: number | undefined;
  /** 'fail': what `close` reports fails the seed. Default 'ignore'. */
  readonly leaks?: 'ignore' | 'fail' | undefined;
  /** The command of the line that replays a seed. Default: the one that runs: `npm test`, `npx ava search.test.js`, `node search.js`. */
  readonly replay?: string | undefined;
  /** Called every 100 ms at most, and at the end of the seeds. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Ends the search: it rejects with the signal's reason, and its workers are stopped. In line it ends between two runs. */
  readonly signal?: AbortSignal | undefined;
}

/** How far a search is. */
export interface Progress {
  /** Seeds that have run. */
  readonly done: number;
  /** Of these. */
  readonly failed: number;
  /** All that are to run. */
  readonly seeds: number;
  /** Of real time. */
  readonly seedsPerSecond: number;
  /** Simulated so far. */
  readonly virtualHours: number;
}

/** Complete. */
export interface Search {
  readonly name: string;
  readonly seeds: readonly number[];
  readonly scenario: Scenario | string;
  readonly lab: LabOptions;
  readonly workers: number;
  readonly stopAfter: number;
  readonly replay: string | undefined;
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal | undefined;
}

/** @throws TypeError naming the option that is wrong. */
export function searchOf(options: ExploreOptions): Search {
  const given = parseOptions(schema, options as OptionsInput<typeof schema>, 'explore');
  const { seed, seeds, name, scenario, nemesis, level, link, disk, strict, leaks, shrink, shrinkRuns, workers, stopAfter, replay, onProgress, signal } = given;
  linkSettings(CALM, link ?? {}, 'explore: link');
  checkDisk(disk ?? {}, 'explore: disk');
  if (workers > 1 && typeof scenario === 'function') {
    throw new TypeError(`explore: scenario: must be the URL of a module for ${workers} workers: a function cannot cross into a thread`);
  }
  if (workers > 1 && nemesis !== undefined && 'plan' in nemesis) {
    throw new TypeError(
      `explore: nemesis: must be a list of faults for ${workers} workers, or exported by the scenario's module: a function cannot cross into a thread`,
    );
  }
  return {
    name: name ?? nameOf(scenario),
    seeds: typeof seeds === 'number' ? Array.from({ length: seeds }, (_, index) => seed + index) : [...new Set(seeds)].sort((a, b) => a - b),
    scenario: typeof scenario === 'function' ? scenario : String(scenario),
    lab: { nemesis, level, link, disk, strict, leaks, shrinkRuns: shrink ? shrinkRuns : 0 },
    workers,
    stopAfter,
    replay,
    signal,
    onProgress: onProgress ?? (() => {}),
  };
}

/** Those of a search are all in memory. */
const MOST_SEEDS = 10_000_000;

const object = <T>(rule: string) => optional(reference<T>((value) => typeof value === 'object' && value !== null, rule));

const schema = optionsSchema({
  seed: withDefault(integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER), 1),
  seeds: withDefault(reference<number | readonly number[]>(areSeeds, `how many, from 1 to ${MOST_SEEDS}, or a list of integers`), 1),
  name: optional(
    reference<string>((value) => typeof value === 'string' && /^[^\s:]{1,100}$/.test(value), 'a name of 1 to 100 characters, without white space and colons'),
  ),
  scenario: reference<Scenario | URL | string>(isScenario, 'a function, or the URL of a module'),
  nemesis: optional(reference<NonNullable<LabOptions['nemesis']>>(isNemesis, 'a nemesis { name, plan }, or a list of faults { at, do, … }')),
  level: optional(reference<Level>((value) => value === 'message' || value === 'stream', "'message' or 'stream'")),
  link: object<LinkOptions>('an object of options'),
  disk: object<DiskOptions>('an object of options'),
  strict: optional(flag()),
  workers: withDefault(integer(1, 1_024), 1),
  stopAfter: withDefault(
    reference<number>((value) => value === Number.POSITIVE_INFINITY || isCount(value), 'an integer from 1 on, or Infinity'),
    1,
  ),
  shrink: withDefault(flag(), true),
  shrinkRuns: withDefault(integer(1, Number.MAX_SAFE_INTEGER), 200),
  leaks: withDefault(
    reference<'ignore' | 'fail'>((value) => value === 'ignore' || value === 'fail', "'ignore' or 'fail'"),
    'ignore',
  ),
  replay: optional(text(1_000)),
  onProgress: optional(callback<(progress: Progress) => void>()),
  signal: optional(reference<AbortSignal>((value) => typeof (value as AbortSignal | null)?.throwIfAborted === 'function', 'an AbortSignal')),
});

function flag() {
  return reference<boolean>((value) => typeof value === 'boolean', 'true or false');
}

/** The name of a function, or of a module's file without its ending. */
function nameOf(scenario: Scenario | URL | string): string {
  const name =
    typeof scenario === 'function'
      ? scenario.name
      : /^data:/.test(String(scenario))
        ? ''
        : String(scenario)
            .replace(/[?#].*$/s, '')
            .replace(/^.*\/|\.\w+$/g, '');
  return name.replaceAll(/[\s:]/g, '-').slice(0, 100) || 'scenario';
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function areSeeds(value: unknown): boolean {
  if (typeof value === 'number') return isCount(value) && value <= MOST_SEEDS;
  return Array.isArray(value) && value.length > 0 && value.every((seed) => Number.isSafeInteger(seed));
}

function isScenario(value: unknown): boolean {
  if (typeof value === 'function' || value instanceof URL) return true;
  return typeof value === 'string' && /^[a-z][a-z\d+.-]*:/i.test(value);
}

function isNemesis(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((fault) => typeof fault?.do === 'string' && typeof fault.at === 'number' && fault.at >= 0);
  return (
    typeof value === 'object' && value !== null && 'plan' in value && typeof value.plan === 'function' && 'name' in value && typeof value.name === 'string'
  );
}
