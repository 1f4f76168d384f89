// The options of a simulation: their types, defaults and checks.

import { option, optionsSchema, parseOptions } from '@trunkline/transport-core/backend';
import type { ScheduledFault } from './faults/fault.ts';
import type { Nemesis } from './faults/nemesis.ts';
import {
  CALM,
  type LinkOptions,
  type LinkSettings,
  linkSettings,
} from './network/link-settings.ts';
import type { SimulationLevel } from './network/sim-network.ts';
import { checkDisk, type DiskOptions } from './nodes/node-store.ts';

/** Options of `createSimulation`. */
export interface SimulationOptions {
  /**
   * The seed of all random numbers in the simulation; an integer. Default 1, as in `explore` and
   * `assertDeterministic`.
   */
  readonly seed?: number | undefined;
  /**
   * 'message' (default) carries whole messages over the direct transport. 'stream' carries bytes
   * and runs the full NetworkTransport.
   */
  readonly level?: SimulationLevel | undefined;
  /** Settings for every link that no fault has changed. */
  readonly link?: LinkOptions | undefined;
  /** Settings for every disk, unless the declaration of a node or a fault sets others. */
  readonly disk?: DiskOptions | undefined;
  /**
   * A nemesis, which plans its faults when the simulation first runs, or a list of scheduled
   * faults.
   */
  readonly nemesis?: Nemesis | readonly ScheduledFault[] | undefined;
  /**
   * If true, the simulation waits for a turn of the real event loop after each event. By default
   * (false), it runs 8 turns of the microtask queue, and 8 more as long as code touches the
   * simulation. By default, a longer chain of bare awaits therefore continues at a later virtual
   * time. The default is just as deterministic, and ten times as fast.
   */
  readonly strict?: boolean | undefined;
  /**
   * Maximum number of events without an advance of time. One more event fails the run, because the
   * code is probably in a loop that never waits. Default 100,000.
   */
  readonly stepLimit?: number | undefined;
  /**
   * Number of events that `recording` of the simulation keeps; older ones are dropped and counted.
   * Default 0: nothing is recorded. At most 1,000,000.
   */
  readonly record?: number | undefined;
}

/** The options of a simulation with all defaults filled in. */
export interface SimulationSettings {
  readonly seed: number;
  readonly level: SimulationLevel;
  readonly link: LinkSettings;
  readonly disk: DiskOptions;
  readonly nemesis: SimulationOptions['nemesis'];
  readonly strict: boolean;
  readonly stepLimit: number;
  readonly record: number;
}

/**
 * Checks the options of `createSimulation` and fills in defaults.
 *
 * @throws TypeError that names the invalid option.
 */
export function simulationSettings(options: SimulationOptions): SimulationSettings {
  const { link = {}, disk = {}, ...given } = parseOptions(schema, options, 'createSimulation');
  checkDisk(disk, 'createSimulation: disk');
  const settings = linkSettings(CALM, link, 'createSimulation: link');
  return { ...given, nemesis: given.nemesis, link: settings, disk };
}

/** Maximum number of recorded events, so that their JSON stays below 200 MB. */
export const MOST_RECORDED = 1_000_000;

const schema = optionsSchema({
  seed: option.withDefault(option.integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER), 1),
  level: option.withDefault(
    option.reference<SimulationLevel>(
      (value) => value === 'message' || value === 'stream',
      "'message' or 'stream'",
    ),
    'message',
  ),
  link: option.optional(
    option.reference<LinkOptions>(
      (value) => typeof value === 'object' && value !== null,
      'an object of options',
    ),
  ),
  disk: option.optional(
    option.reference<DiskOptions>(
      (value) => typeof value === 'object' && value !== null,
      'an object of options',
    ),
  ),
  nemesis: option.optional(
    option.reference<NonNullable<SimulationOptions['nemesis']>>(
      (value) => typeof value === 'object' && value !== null,
      'a nemesis, or a list of faults',
    ),
  ),
  strict: option.withDefault(
    option.reference<boolean>((value) => typeof value === 'boolean', 'true or false'),
    false,
  ),
  stepLimit: option.withDefault(option.integer(1, Number.MAX_SAFE_INTEGER), 100_000),
  record: option.withDefault(option.integer(0, MOST_RECORDED), 0),
});
