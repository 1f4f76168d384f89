// The swarm: some kinds of trouble at a time, others for each seed. What always comes together can hide what comes alone.

import { integer, optional, optionsSchema, parseOptions, reference, withDefault } from '@trunkline/transport-core';
import { childRandom, pick } from '../world/chance.ts';
import { exp, log } from '../world/portable-math.ts';
import type { ScheduledFault } from './fault.ts';
import type { Nemesis } from './nemesis.ts';
import { badLinks, bridge, flappingLink, holds, isolate, majorityRing, oneWay, resets, splitBrain } from './network-nemeses.ts';
import { clockStorm, crashes, diskTrouble, minority, pauses, rollingRestart, slowNode } from './node-nemeses.ts';
import { DURATION, finished, positive } from './plan.ts';

/** What a swarm is drawn from, by name. */
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

export type NemesisKind = keyof typeof kinds;

export interface SwarmOptions {
  /** Virtual milliseconds; it ends with `recover`. Default 30,000. */
  readonly duration?: number | undefined;
  /** What it draws from. Default: all of them. */
  readonly kinds?: readonly NemesisKind[] | undefined;
  /** Nodes that may be down at a time. Default: a minority, or one of fewer than three. */
  readonly maxDown?: number | undefined;
}

/**
 * A random subset of all kinds, each taken by the toss of a coin, at least one (swarm testing: Groce, Zhang, Eide, Chen, Regehr, ISSTA
 * 2012). Each acts in a part of the time that is drawn for it, up to four times as fast or as slow as by itself, and they overlap:
 * a `heal` of one ends the cuts, partitions and bad links of all others, a restart of one brings back what another crashed, and whoever
 * restarts is no longer slow. A crash of what is down, or of more than `maxDown`, and a restart of what is up are left out.
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
        // From somewhere in the first half, for a quarter of the time at least.
        const begin = Math.round(from + 0.5 * duration * own());
        const most = until - begin;
        const part = 0.25 * duration + (most - 0.25 * duration) * own();
        const pace = exp((2 * own() - 1) * log(FASTEST));
        const nemesis = kinds[name]({ duration: part, pace, ...(name === 'crashes' && maxDown !== undefined ? { maxDown } : undefined) });
        return nemesis.plan({ nodes, random: own, from: begin }).slice(0, -1);
      });
      const planned = finished(faults, until);
      return withoutNeedless(planned, maxDown ?? minority(nodes.length));
    },
  };
}

/** Every crash is one of a node that is up, every restart one of a node that is down, and no more are down than may be. */
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
  duration: withDefault(positive(), DURATION),
  kinds: withDefault(reference<readonly NemesisKind[]>(isListOfKinds, `a list of some of ${all.join(', ')}`), all),
  maxDown: optional(integer(0, Number.MAX_SAFE_INTEGER)),
});

function isListOfKinds(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((name) => all.includes(name));
}

/** A kind in a swarm is at most so many times as fast as by itself, or as slow. */
const FASTEST = 4;
