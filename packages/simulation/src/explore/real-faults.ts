// The faults of the default search: those that real machines, disks and lines have. None of them
// breaks a documented promise. No line repeats or reorders messages, no disk loses or changes data
// that was synced, no operation of a disk fails, and clocks drift within the stated bound.

import type { ScheduledFault } from '../faults/fault.ts';
import type { Nemesis } from '../faults/nemesis.ts';
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
} from '../faults/network-nemeses.ts';
import { clockStorm, crashes, pauses, rollingRestart, slowNode } from '../faults/node-nemeses.ts';
import { oneAlone } from '../faults/partition-shapes.ts';
import { DURATION, finished, type NemesisOptions, nemesisOf, rounded } from '../faults/plan.ts';
import { compose } from '../faults/swarm.ts';
import { type DelayDistribution, shuffled } from '../kernel/distributions.ts';
import { exp, log } from '../kernel/portable-math.ts';

/** Makes a nemesis that is as many times slower as `pace` says. */
type Kind = (options: { readonly pace: number }) => Nemesis;

/**
 * Milliseconds that a garbage collection takes, from one of a small heap to a full one of a large
 * heap.
 */
export const SHORT_PAUSE = [20, 4_000] as const;
/** Milliseconds that a machine stands still because it is moved, or because its host is updated. */
export const LONG_PAUSE = { exponential: 4_000, least: 500, most: 30_000 } as const;

/** The faults of machines and their disks. */
export const MACHINES: readonly Kind[] = [
  crashes,
  rollingRestart,
  (options) => somePauses(SHORT_PAUSE, options),
  slowNode,
  clockStorm,
  weakDisks,
];

/** The faults of lines: cut in every shape, slow, lossy, stuck, and reset. */
export const LINES: readonly Kind[] = [
  splitBrain,
  isolate,
  bridge,
  majorityRing,
  oneWay,
  flappingLink,
  (options) =>
    badLinks({ ...options, link: { latency: { exponential: 20, least: 1 }, loss: 0.1 } }),
  (options) => badLinks({ ...options, link: { latency: [50, 500], bandwidth: 125_000 } }),
  holds,
  resets,
];

/**
 * Mixes up to three random kinds of each list, other ones for each seed (swarm testing: Groce,
 * Zhang, Eide, Chen, Regehr, ISSTA 2012). Under more of them at once, a cluster hardly makes
 * progress. They act from the beginning, up to {@link FASTEST} times as fast or as slow as on their
 * own.
 */
export function mixtureOf(name: string, ...lists: readonly (readonly Kind[])[]): Nemesis {
  return {
    name,
    plan(context) {
      const { random } = context;
      const pace = exp((2 * random() - 1) * log(FASTEST));
      const chosen = lists.flatMap((kinds) =>
        shuffled(kinds, random).slice(0, 1 + Math.floor(MOST_KINDS * random())),
      );
      return compose(...chosen.map((kind) => kind({ pace }))).plan(context);
    },
  };
}

/**
 * Isolates one node after the other, in order of declaration, without calm in between: a node comes
 * back when the leader that the others have chosen meanwhile may be cut off.
 */
export const rollingPartition = nemesisOf({
  name: 'rollingPartition',
  lasts: [600, 1_000],
  calm: 0,
  waves({ nodes }) {
    if (nodes.length < 2) return undefined;
    return ({ begin, end, index }) => [
      ...oneAlone(nodes, nodes[index % nodes.length]!).map((fault) => ({ at: begin, ...fault })),
      { at: end, do: 'heal' },
    ];
  },
});

/** Pauses of one or two nodes, which the seed chooses, independent of each other. */
export function somePauses(lasts: DelayDistribution, { pace = 1 }: NemesisOptions = {}): Nemesis {
  return {
    name: 'somePauses',
    plan(context) {
      const { nodes, random } = context;
      const victims = shuffled(nodes, random).slice(0, random() < 0.5 ? 1 : 2);
      const each = victims.map((node) => pauses({ lasts, calm: [50, 2_000], pace, node }));
      return each.length === 0 ? [] : compose(...each).plan(context);
    },
  };
}

/**
 * Disks that take up to 200 ms to sync. In half of the crashes, the oldest unsynced changes of
 * files survive, and the last of them is torn; all other unsynced changes are lost.
 */
function weakDisks(): Nemesis {
  return {
    name: 'weakDisks',
    plan: ({ nodes, random, from }) =>
      finished(
        nodes.map((node): ScheduledFault => {
          const sync = [1, rounded(1 + 199 * random())] as const;
          return { at: from, do: 'disk', node, disk: { sync, tornFiles: 0.5 } };
        }),
        from + DURATION,
      ),
  };
}

/** Maximum number of kinds of each list in a mixture. */
const MOST_KINDS = 3;
/** Factor by which a mixture may be faster or slower than its kinds on their own. */
const FASTEST = 4;
