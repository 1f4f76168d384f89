// Shared planning code of the ready-made nemeses: trouble comes and goes in waves until the
// duration is over and everything recovers.

import type { Random } from '@trunkline/transport-core';
import { option, optionsSchema, parseOptions } from '@trunkline/transport-core/backend';
import { type DelayDistribution, draw, isDelay } from '../kernel/distributions.ts';
import type { ScheduledFault } from './fault.ts';
import type { Nemesis } from './nemesis.ts';

/**
 * Options of every ready-made nemesis. Times are virtual milliseconds; planned times are whole
 * numbers.
 */
export interface NemesisOptions {
  /** The time for which the nemesis is active; its plan ends with `recover`. Default 30,000. */
  readonly duration?: number | undefined;
  /** The duration of each fault. The default depends on the nemesis. */
  readonly lasts?: DelayDistribution | undefined;
  /**
   * The length of the calm before the first disturbance and between two disturbances. The default
   * depends on the nemesis.
   */
  readonly calm?: DelayDistribution | undefined;
  /** A factor for `lasts` and `calm`: above 1, trouble is rarer and lasts longer. Default 1. */
  readonly pace?: number | undefined;
}

/**
 * One disturbance: the time at which it begins, the time at which it should end, and the number of
 * earlier disturbances.
 */
export interface Wave {
  readonly begin: number;
  readonly end: number;
  readonly index: number;
}

/** The input from which a kind of trouble makes a plan; there is one for each plan. */
export interface PlanSetting<Own> {
  readonly nodes: readonly string[];
  readonly random: Random;
  /** The options that only this kind has, with defaults filled in. */
  readonly own: Own;
}

/** A kind of trouble, from which {@link nemesisOf} makes a nemesis. */
export interface NemesisDefinition<Own> {
  readonly name: string;
  readonly lasts: DelayDistribution;
  readonly calm: DelayDistribution;
  /** Schema fields of the options that only this kind has. */
  readonly own?: Record<keyof Own, any>;
  /**
   * Returns a function that plans one wave, or undefined if there are too few nodes. Called once
   * for each plan.
   */
  waves(setting: PlanSetting<Own>): ((wave: Wave) => readonly ScheduledFault[]) | undefined;
}

/**
 * Returns the function that creates nemeses of a kind. It throws a TypeError that names an invalid
 * option.
 */
export function nemesisOf<Own = object>(
  kind: NemesisDefinition<Own>,
): (options?: NemesisOptions & { readonly [K in keyof Own]?: Own[K] | undefined }) => Nemesis {
  const { name } = kind;
  const schema = optionsSchema({
    duration: option.withDefault(positive(), DURATION),
    pace: option.withDefault(positive(), 1),
    lasts: option.withDefault(delay(), kind.lasts),
    calm: option.withDefault(delay(), kind.calm),
    ...kind.own,
  });
  return (options = {}) => {
    const own = parseOptions(schema, options, `nemeses.${name}`) as Required<NemesisOptions> & Own;
    const { duration, pace, lasts, calm } = own as {
      readonly duration: number;
      readonly pace: number;
      readonly lasts: DelayDistribution;
      readonly calm: DelayDistribution;
    };
    return {
      name,
      plan({ nodes, random, from }) {
        const until = from + duration;
        const time = (delay: DelayDistribution) =>
          Math.max(1, Math.round(draw(delay, random) * pace));
        const wave = kind.waves({ nodes, random, own });
        const faults: ScheduledFault[] = [];
        if (wave !== undefined) {
          for (let index = 0, begin = from + time(calm); begin < until; index++) {
            const end = begin + time(lasts);
            faults.push(...wave({ begin, end, index }));
            begin = end + time(calm);
          }
        }
        return finished(faults, until);
      },
    };
  };
}

/**
 * Sorts faults by time, drops those from `until` on, and appends `recover` at `until`. Shortens a
 * pause that would last longer, because `recover` does not end pauses.
 */
export function finished(faults: readonly ScheduledFault[], until: number): ScheduledFault[] {
  const planned = faults
    .filter(({ at }) => at < until)
    .map((fault) =>
      fault.do === 'pause' && fault.at + fault.for > until
        ? { ...fault, for: until - fault.at }
        : fault,
    )
    .sort((a, b) => a.at - b.at);
  return [...planned, { at: until, do: 'recover' }];
}

/** A schema field for a number above 0. */
export function positive(): ReturnType<typeof option.reference<number>> {
  return option.reference<number>(
    (value) => typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY,
    'a number above 0',
  );
}

/** A schema field for a {@link DelayDistribution}, usually in milliseconds. */
export function delay(): ReturnType<typeof option.reference<DelayDistribution>> {
  return option.reference<DelayDistribution>(
    isDelay,
    'a number of at least 0, [least, most], { exponential, least?, most? } or { lognormal, sigma, least?, most? }',
  );
}

/** A schema field for a share from 0 to 1. */
export function share(): ReturnType<typeof option.reference<number>> {
  return option.reference<number>(
    (value) => typeof value === 'number' && value >= 0 && value <= 1,
    'a share from 0 to 1',
  );
}

/** Rounds to three decimal places, to keep plans readable. */
export function rounded(number: number): number {
  return Math.round(number * 1_000) / 1_000;
}

/** Default duration of a nemesis, in virtual milliseconds. */
export const DURATION = 30_000;
