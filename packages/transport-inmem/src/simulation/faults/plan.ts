// How a ready nemesis plans: trouble that comes, lasts and goes again, in waves, until its time is over and all is mended.

import { optionsSchema, parseOptions, type Random, reference, withDefault } from '@trunkline/transport-core';
import { type Delay, draw, isDelay } from '../world/chance.ts';
import type { ScheduledFault } from './fault.ts';
import type { Nemesis } from './nemesis.ts';

/** What every ready nemesis takes; times are virtual milliseconds, and planned ones are whole. */
export interface NemesisOptions {
  /** How long it goes on; it ends with `recover`. Default 30,000. */
  readonly duration?: number | undefined;
  /** How long each trouble lasts. The default is the nemesis's own. */
  readonly lasts?: Delay | undefined;
  /** How long all is well before the first trouble and between two. The default is the nemesis's own. */
  readonly calm?: Delay | undefined;
  /** What `lasts` and `calm` are multiplied by: above 1 trouble is rarer and longer. Default 1. */
  readonly pace?: number | undefined;
}

/** One trouble: when it begins, when it is to end, and how many there were before it. */
export interface Wave {
  readonly begin: number;
  readonly end: number;
  readonly index: number;
}

/** What a kind of trouble is made from, once for each plan. */
export interface Setting<Own> {
  readonly nodes: readonly string[];
  readonly random: Random;
  /** The options that this kind alone has, complete. */
  readonly own: Own;
}

export interface Kind<Own> {
  readonly name: string;
  readonly lasts: Delay;
  readonly calm: Delay;
  /** Options of its own: a field of a schema for each. */
  readonly own?: Record<keyof Own, any>;
  /** What one wave does. Called once for each plan; undefined where there are too few nodes for it. */
  waves(setting: Setting<Own>): ((wave: Wave) => readonly ScheduledFault[]) | undefined;
}

/** The function that makes nemeses of a kind. It throws a TypeError that names an option which is wrong. */
export function nemesisOf<Own = object>(kind: Kind<Own>): (options?: NemesisOptions & { readonly [K in keyof Own]?: Own[K] | undefined }) => Nemesis {
  const { name } = kind;
  const schema = optionsSchema({
    duration: withDefault(positive(), DURATION),
    pace: withDefault(positive(), 1),
    lasts: withDefault(delay(), kind.lasts),
    calm: withDefault(delay(), kind.calm),
    ...kind.own,
  });
  return (options = {}) => {
    const own = parseOptions(schema, options, `nemeses.${name}`) as Required<NemesisOptions> & Own;
    const { duration, pace, lasts, calm } = own as { readonly duration: number; readonly pace: number; readonly lasts: Delay; readonly calm: Delay };
    return {
      name,
      plan({ nodes, random, from }) {
        const until = from + duration;
        const time = (delay: Delay) => Math.max(1, Math.round(draw(delay, random) * pace));
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

/** Those faults by time, up to `until`, when everything is mended. A pause is cut short, as nothing else ends it. */
export function finished(faults: readonly ScheduledFault[], until: number): ScheduledFault[] {
  const planned = faults
    .filter(({ at }) => at < until)
    .map((fault) => (fault.do === 'pause' && fault.at + fault.for > until ? { ...fault, for: until - fault.at } : fault))
    .sort((a, b) => a.at - b.at);
  return [...planned, { at: until, do: 'recover' }];
}

/** A number above 0. */
export function positive(): ReturnType<typeof reference<number>> {
  return reference<number>((value) => typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY, 'a number above 0');
}

/** Milliseconds, or whatever else is drawn as they are. */
export function delay(): ReturnType<typeof reference<Delay>> {
  return reference<Delay>(isDelay, 'a number from 0 on, [least, most], { exponential, least?, most? } or { lognormal, sigma, least?, most? }');
}

/** A share of what happens, from 0 to 1. */
export function share(): ReturnType<typeof reference<number>> {
  return reference<number>((value) => typeof value === 'number' && value >= 0 && value <= 1, 'a share from 0 to 1');
}

/** Three digits behind the point: plans are for people to read too. */
export function rounded(number: number): number {
  return Math.round(number * 1_000) / 1_000;
}

/** Virtual milliseconds. */
export const DURATION = 30_000;
