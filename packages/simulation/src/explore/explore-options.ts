// The options of a search: their types, defaults and checks.

import {
  type OptionsInput,
  option,
  optionsSchema,
  parseOptions,
} from '@trunkline/transport-core/backend';
import type { ScheduledFault } from '../faults/fault.ts';
import type { Nemesis } from '../faults/nemesis.ts';
import { CALM, type LinkOptions, linkSettings } from '../network/link-settings.ts';
import type { SimulationLevel } from '../network/sim-network.ts';
import { checkDisk, type DiskOptions } from '../nodes/node-store.ts';
import { MOST_RECORDED } from '../simulation-options.ts';
import type { RunnerOptions, Scenario } from './local-runner.ts';
import { type ExploreProfile, profilesOf } from './profiles.ts';

/** Options of `explore`. */
export interface ExploreOptions {
  /** The first seed. Default 1. */
  readonly seed?: number | undefined;
  /**
   * The number of seeds, counted from `seed`, or a list of seeds. They run in ascending order.
   * Default 1: only `seed`.
   */
  readonly seeds?: number | readonly number[] | undefined;
  /**
   * The name of the scenario in replay lines. If the environment variable SEED holds a replay of
   * this name, the search runs only that seed; searches with other names ignore it. At most 100
   * characters, without white space or colons. Default: the name of the function or of the module's
   * file; a second search in the same thread with the same default name gets the suffix '-2'.
   */
  readonly name?: string | undefined;
  /**
   * The scenario declares nodes on the simulation that it gets and runs them. A seed fails if the
   * scenario rejects. It is a function, or the URL of a module with the function as its default
   * export. The module may also export `nemesis`, `profiles` and `options` { level, link, disk,
   * strict } as defaults for the options of `explore`.
   *
   * A function runs in the current thread, so a seed that hangs stops the search. A module runs in
   * worker threads, where such a seed is a failure like any other (see `hangTimeout`).
   */
  readonly scenario: Scenario | URL | string;
  /**
   * The faults. With `workers` above 1 this must be a list of faults or an export of the module,
   * because a function cannot be passed to a worker; with 1, it keeps a module in the current
   * thread.
   */
  readonly nemesis?: Nemesis | readonly ScheduledFault[] | undefined;
  /**
   * The conditions that the seeds use in turn: names of ready-made profiles, or your own. Default:
   * all ready-made ones if neither `link` nor `nemesis` is given, by an option or by the module;
   * otherwise none, so that every seed runs under the given link and nemesis. Settings that a
   * profile leaves out are taken from `link` and `nemesis`. With `workers` above 1, a profile whose
   * nemesis is not a list of faults must be an export of the module.
   */
  readonly profiles?:
    | readonly (
        | 'constantLatency'
        | 'jitter'
        | 'loss'
        | 'longLines'
        | 'longPartitions'
        | 'rollingPartitions'
        | 'crashStorms'
        | 'longPauses'
        | 'wrongClocks'
        | 'machineFaults'
        | 'networkFaults'
        | 'swarm'
        | ExploreProfile
      )[]
    | undefined;
  /** The level of the simulated network, as in `createSimulation`. */
  readonly level?: SimulationLevel | undefined;
  /** The faults of all links, as in `createSimulation`. */
  readonly link?: LinkOptions | undefined;
  /** The faults of all disks, as in `createSimulation`. */
  readonly disk?: DiskOptions | undefined;
  /** Waits for a turn of the real event loop after each event, as in `createSimulation`. */
  readonly strict?: boolean | undefined;
  /**
   * Number of workers that run seeds of a module, at most 1,024. Default 1. With more than 1,
   * `scenario` must be the URL of a module. A browser runs seeds in the current thread.
   */
  readonly workers?: number | undefined;
  /**
   * The kind of the workers. A 'thread' (default) survives nodes that hang, and most that end it. A
   * 'process' also survives crashes of native code, signals, and calls that block in native code,
   * but reports each event to its parent, which makes it slower. For Linux and macOS.
   */
  readonly isolation?: 'thread' | 'process' | undefined;
  /**
   * Milliseconds of real time without an event after which a seed of a worker has failed, because
   * it hangs: its worker is replaced, and the search continues. Default 30,000; `Infinity`
   * waits forever. Choose it longer than the scenario takes to check a history.
   */
  readonly hangTimeout?: number | undefined;
  /** Number of failures after which the search stops; `Infinity` runs every seed. Default 1. */
  readonly stopAfter?: number | undefined;
  /** Set to false to skip the search for the smallest schedule that still fails. Default true. */
  readonly shrink?: boolean | undefined;
  /**
   * Maximum number of runs for shrinking one failure. It also ends after a thousand times as many
   * events. The report says so if a smaller schedule may exist. Default 200.
   */
  readonly shrinkRuns?: number | undefined;
  /**
   * Number of most recent events that the recording of a failure keeps; recording takes a further
   * run. 0 records nothing; at most 1,000,000. Default 10,000.
   */
  readonly record?: number | undefined;
  /** With 'fail', a seed also fails if `close` reports leaks. Default 'ignore'. */
  readonly leaks?: 'ignore' | 'fail' | undefined;
  /**
   * The reaction if two runs of the first seed differ. With 'fail' (default), the search rejects
   * with an Error that shows the first event that differs. With 'ignore', the first seed runs only
   * once, and failures may not replay.
   */
  readonly irreproducible?: 'fail' | 'ignore' | undefined;
  /**
   * The command in the replay line. Default: the command that is running, such as `npm test`,
   * `npx ava search.test.js` or `node search.js`.
   */
  readonly replay?: string | undefined;
  /**
   * Called at most every 100 ms while seeds run, and once more at the end, before failures are
   * shrunk. If it throws, the search rejects with that error.
   */
  readonly onProgress?: ((progress: ExploreProgress) => void) | undefined;
  /**
   * Aborts the search: it rejects with the reason of the signal, and its workers are stopped. In
   * the current thread, the search stops between two runs.
   */
  readonly signal?: AbortSignal | undefined;
}

/** The progress of a search. */
export interface ExploreProgress {
  /** Number of seeds that have run. */
  readonly done: number;
  /** Number of seeds that have failed. */
  readonly failed: number;
  /** Number of seeds to run. */
  readonly seeds: number;
  /** Seeds per second of real time. */
  readonly seedsPerSecond: number;
  /** Simulated time so far, in hours. */
  readonly virtualHours: number;
}

/** A search with all defaults filled in. */
export interface SeedSearch {
  readonly name: string;
  readonly seeds: readonly number[];
  readonly scenario: Scenario | string;
  readonly options: RunnerOptions;
  /** True if the scenario is a module whose options can be sent to a worker. */
  readonly isMovable: boolean;
  readonly isolation: 'thread' | 'process';
  readonly workers: number;
  readonly hangTimeout: number;
  readonly stopAfter: number;
  readonly record: number;
  readonly irreproducible: 'fail' | 'ignore';
  readonly replay: string | undefined;
  readonly onProgress: (progress: ExploreProgress) => void;
  readonly signal: AbortSignal | undefined;
}

/**
 * Checks the options of `explore` and fills in defaults.
 *
 * @throws TypeError that names the invalid option.
 */
export function searchOf(options: ExploreOptions): SeedSearch {
  const given = parseOptions(schema, options as OptionsInput<typeof schema>, 'explore');
  const {
    seed,
    seeds,
    name,
    scenario,
    nemesis,
    profiles,
    level,
    link,
    disk,
    strict,
    leaks,
    shrink,
    shrinkRuns,
    record,
    workers,
    isolation,
    hangTimeout,
    stopAfter,
    irreproducible,
    replay,
    onProgress,
    signal,
  } = given;
  linkSettings(CALM, link ?? {}, 'explore: link');
  checkDisk(disk ?? {}, 'explore: disk');
  const needsModule = workers > 1 || isolation === 'process';
  const where = isolation === 'process' ? 'worker processes' : `${workers} workers`;
  if (needsModule && typeof scenario === 'function') {
    throw new TypeError(
      `explore: scenario: must be the URL of a module for ${where}: a function cannot be sent to a worker`,
    );
  }
  const plans = nemesis !== undefined && 'plan' in nemesis;
  if (needsModule && plans) {
    throw new TypeError(
      `explore: nemesis: must be a list of faults for ${where}, or exported by the scenario's module: a function cannot be sent to a worker`,
    );
  }
  if (profiles !== undefined) {
    for (const profile of profilesOf({ profiles })) {
      if (profile.nemesis !== undefined && !isNemesis(profile.nemesis))
        throw new TypeError(`explore: profiles: ${profile.name}: nemesis: must be ${NEMESIS}`);
    }
  }
  const planner = profiles?.find(
    (each): each is ExploreProfile => typeof each !== 'string' && 'plan' in (each.nemesis ?? {}),
  );
  if (needsModule && planner !== undefined)
    throw new TypeError(
      `explore: profiles: '${planner.name}' must have a list of faults for ${where}, or be exported by the scenario's module: a function cannot be sent to a worker`,
    );
  return {
    name: name ?? nameOf(scenario),
    seeds:
      typeof seeds === 'number'
        ? Array.from({ length: seeds }, (_, index) => seed + index)
        : [...new Set(seeds)].sort((a, b) => a - b),
    scenario: typeof scenario === 'function' ? scenario : String(scenario),
    options: {
      nemesis,
      profiles,
      level,
      link,
      disk,
      strict,
      leaks,
      shrinkRuns: shrink ? shrinkRuns : 0,
    },
    isMovable: typeof scenario !== 'function' && !plans && planner === undefined,
    isolation,
    workers,
    hangTimeout,
    stopAfter,
    record,
    irreproducible,
    replay,
    signal,
    onProgress: onProgress ?? (() => {}),
  };
}

/** Maximum number of seeds, because all seeds of a search are in memory. */
const MOST_SEEDS = 10_000_000;

const NEMESIS = 'a nemesis { name, plan }, or a list of faults { at, do, … }';

const object = <T>(rule: string) =>
  option.optional(
    option.reference<T>((value) => typeof value === 'object' && value !== null, rule),
  );

const schema = optionsSchema({
  seed: option.withDefault(option.integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER), 1),
  seeds: option.withDefault(
    option.reference<number | readonly number[]>(
      areSeeds,
      `a number from 1 to ${MOST_SEEDS}, or a list of integers`,
    ),
    1,
  ),
  name: option.optional(
    option.reference<string>(
      (value) => typeof value === 'string' && /^[^\s:]{1,100}$/.test(value),
      'a name of 1 to 100 characters, without white space or colons',
    ),
  ),
  scenario: option.reference<Scenario | URL | string>(
    isScenario,
    'a function, or the URL of a module',
  ),
  nemesis: option.optional(
    option.reference<NonNullable<RunnerOptions['nemesis']>>(isNemesis, NEMESIS),
  ),
  profiles: option.optional(
    option.reference<NonNullable<RunnerOptions['profiles']>>(
      areProfiles,
      'a list of names of profiles, or of profiles { name, link?, nemesis? }',
    ),
  ),
  level: option.optional(
    option.reference<SimulationLevel>(
      (value) => value === 'message' || value === 'stream',
      "'message' or 'stream'",
    ),
  ),
  link: object<LinkOptions>('an object of options'),
  disk: object<DiskOptions>('an object of options'),
  strict: option.optional(flag()),
  workers: option.withDefault(option.integer(1, 1_024), 1),
  isolation: option.withDefault(
    option.reference<'thread' | 'process'>(
      (value) => value === 'thread' || value === 'process',
      "'thread' or 'process'",
    ),
    'thread',
  ),
  hangTimeout: option.withDefault(option.millisecondsOrNever(), 30_000),
  stopAfter: option.withDefault(
    option.reference<number>(
      (value) => value === Number.POSITIVE_INFINITY || isCount(value),
      'an integer of at least 1, or Infinity',
    ),
    1,
  ),
  shrink: option.withDefault(flag(), true),
  shrinkRuns: option.withDefault(option.integer(1, Number.MAX_SAFE_INTEGER), 200),
  record: option.withDefault(option.integer(0, MOST_RECORDED), 10_000),
  leaks: option.withDefault(verdict(), 'ignore'),
  irreproducible: option.withDefault(verdict(), 'fail'),
  replay: option.optional(option.text(1_000)),
  onProgress: option.optional(option.callback<(progress: ExploreProgress) => void>()),
  signal: option.optional(
    option.reference<AbortSignal>(
      (value) => typeof (value as AbortSignal | null)?.throwIfAborted === 'function',
      'an AbortSignal',
    ),
  ),
});

function verdict() {
  return option.reference<'ignore' | 'fail'>(
    (value) => value === 'ignore' || value === 'fail',
    "'ignore' or 'fail'",
  );
}

function flag() {
  return option.reference<boolean>((value) => typeof value === 'boolean', 'true or false');
}

/**
 * The default name of a scenario: that of the function, or of the module's file without its
 * extension.
 */
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
  return (
    Array.isArray(value) && value.length > 0 && value.every((seed) => Number.isSafeInteger(seed))
  );
}

function isScenario(value: unknown): boolean {
  if (typeof value === 'function' || value instanceof URL) return true;
  return typeof value === 'string' && /^[a-z][a-z\d+.-]*:/i.test(value);
}

function areProfiles(value: unknown): boolean {
  const isProfile = (each: unknown) =>
    typeof each === 'string' || (typeof each === 'object' && each !== null);
  return Array.isArray(value) && value.every(isProfile);
}

function isNemesis(value: unknown): boolean {
  if (Array.isArray(value))
    return value.every(
      (fault) => typeof fault?.do === 'string' && typeof fault.at === 'number' && fault.at >= 0,
    );
  return (
    typeof value === 'object' &&
    value !== null &&
    'plan' in value &&
    typeof value.plan === 'function' &&
    'name' in value &&
    typeof value.name === 'string'
  );
}
