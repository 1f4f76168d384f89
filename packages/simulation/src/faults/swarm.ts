// The ready-made nemeses, and two ways to combine them: all that are given, or a few, different
// ones for each seed, because faults that always occur together can hide each other's effects.

import { option, optionsSchema, parseOptions } from '@trunkline/transport-core/backend';
import { childRandom, pick } from '../kernel/distributions.ts';
import { exp, log } from '../kernel/portable-math.ts';
import type { ScheduledFault } from './fault.ts';
import type { Nemesis } from './nemesis.ts';
import {
  badLinks,
  bridge,
  flappingLink,
  holds,
  isolate,
  majorityRing,
  oneWay,
  resets,
  splitBrain,
} from './network-nemeses.ts';
import {
  clockStorm,
  crashes,
  diskTrouble,
  minority,
  pauses,
  rollingRestart,
  slowNode,
} from './node-nemeses.ts';
import { DURATION, finished, positive } from './plan.ts';

/** The kinds of trouble that a swarm draws from, by name. */
export const kinds = {
  splitBrain,
  isolate,
  bridge,
  majorityRing,
  oneWay,
  flappingLink,
  badLinks,
  holds,
  resets,
  rollingRestart,
  crashes,
  pauses,
  slowNode,
  clockStorm,
  diskTrouble,
} as const;

/** The name of a kind of trouble. */
export type NemesisKind = keyof typeof kinds;

/**
 * Combines nemeses: the faults of all of them happen, and the last `recover` ends them all. Each
 * draws its own random numbers. They affect each other as those of a {@link swarm} do, and each
 * counts only the nodes that it has crashed itself.
 */
export function compose(...list: readonly Nemesis[]): Nemesis {
  if (list.length === 0) throw new TypeError('nemeses.compose: give at least one nemesis');
  return {
    name: list.map(({ name }) => name).join(' and '),
    plan({ nodes, random, from }) {
      const plans = list.map((nemesis) => {
        const own = childRandom(Math.floor(random() * 0x1_0000_0000), nemesis.name);
        return nemesis.plan({ nodes, random: own, from });
      });
      // `finished` drops the faults at `until`, so a plan that ends otherwise than with `recover` ends
      // a millisecond later.
      const ends = plans.flat().map((fault) => (fault.do === 'recover' ? fault.at : fault.at + 1));
      const until = ends.reduce((latest, end) => Math.max(latest, end), from);
      const faults = plans.flat().filter((fault) => fault.do !== 'recover');
      return withoutNeedless(finished(faults, until), Number.POSITIVE_INFINITY);
    },
  };
}

/** Options of {@link swarm}. */
export interface SwarmOptions {
  /** Virtual milliseconds until `recover`. Default 30,000. */
  readonly duration?: number | undefined;
  /** The kinds to draw from. Default: all. */
  readonly kinds?: readonly NemesisKind[] | undefined;
  /** Maximum number of nodes that are down at a time. Default: a minority, but at least one. */
  readonly maxDown?: number | undefined;
}

/**
 * Combines a random subset of all kinds: each kind is chosen with a probability of one half, but at
 * least one is chosen (swarm testing: Groce, Zhang, Eide, Chen, Regehr, ISSTA 2012). Each kind acts
 * in a random part of the duration, up to four times as fast or as slow as on its own. A
 * disturbance that would end after that part lasts until the swarm's `recover`, except a pause. The
 * kinds affect each other: a `heal` of one kind ends the cuts, partitions and bad links of all
 * others, a restart by one brings back a node that another crashed, and a restarted node is no
 * longer slow. The swarm leaves out crashes of nodes that are down or beyond `maxDown`, and
 * restarts of nodes that are up.
 */
export function swarm(options: SwarmOptions = {}): Nemesis {
  const { duration, kinds: names, maxDown } = parseOptions(schema, options, 'nemeses.swarm');
  return {
    name: 'swarm',
    plan({ nodes, random, from }) {
      const until = from + duration;
      const tossed = names.filter(() => random() < 0.5);
      const faults = (tossed.length > 0 ? tossed : [pick(names, random)]).flatMap((name) => {
        const own = childRandom(Math.floor(random() * 0x1_0000_0000), name);
        // The part begins somewhere in the first half and takes at least a quarter of the duration.
        const begin = Math.round(from + 0.5 * duration * own());
        const most = until - begin;
        const part = 0.25 * duration + (most - 0.25 * duration) * own();
        const pace = exp((2 * own() - 1) * log(FASTEST));
        const nemesis = kinds[name]({
          duration: part,
          pace,
          ...(name === 'crashes' && maxDown !== undefined ? { maxDown } : undefined),
        });
        return nemesis.plan({ nodes, random: own, from: begin }).slice(0, -1);
      });
      const planned = finished(faults, until);
      return withoutNeedless(planned, maxDown ?? minority(nodes.length));
    },
  };
}

/**
 * Removes crashes of nodes that are down, restarts of nodes that are up, and crashes beyond
 * `maxDown`.
 */
function withoutNeedless(faults: readonly ScheduledFault[], maxDown: number): ScheduledFault[] {
  const down = new Set<string>();
  return faults.filter((fault) => {
    if (fault.do === 'restart') return down.delete(fault.node);
    if (fault.do !== 'crash') return true;
    if (down.has(fault.node) || down.size >= maxDown) return false;
    down.add(fault.node);
    return true;
  });
}

const all = Object.keys(kinds) as NemesisKind[];

const schema = optionsSchema({
  duration: option.withDefault(positive(), DURATION),
  kinds: option.withDefault(
    option.reference<readonly NemesisKind[]>(isListOfKinds, `a list of some of ${all.join(', ')}`),
    all,
  ),
  maxDown: option.optional(option.integer(0, Number.MAX_SAFE_INTEGER)),
});

function isListOfKinds(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((name) => all.includes(name));
}

/** Factor by which a kind in a swarm may be faster or slower than on its own. */
const FASTEST = 4;
