// Ready-made nemeses of nodes: crashes, restarts, pauses, slow CPUs, wrong clocks and failing
// disks.

import { option } from '@trunkline/transport-core/backend';
import { type DelayDistribution, draw, pick, shuffled } from '../kernel/distributions.ts';
import type { ScheduledFault } from './fault.ts';
import { delay, nemesisOf, rounded, share } from './plan.ts';

/**
 * Restarts one node after the other, in order of declaration, again and again. Each is down for
 * `lasts`, and the next follows after `calm`.
 */
export const rollingRestart = nemesisOf({
  name: 'rollingRestart',
  lasts: [100, 1_000],
  calm: [500, 3_000],
  waves({ nodes }) {
    if (nodes.length === 0) return undefined;
    return ({ begin, end, index }) => {
      const node = nodes[index % nodes.length]!;
      return [
        { at: begin, do: 'crash', node },
        { at: end, do: 'restart', node },
      ];
    };
  },
});

/**
 * Crashes up to `maxDown` random nodes at once; they come back one by one within `lasts`. By
 * default, `maxDown` is a minority of the nodes, but at least one. A crash is a loss of power with
 * the probability `powerLost` (default 0.5); in that case, other nodes see no reset.
 */
export const crashes = nemesisOf<{
  readonly maxDown: number | undefined;
  readonly powerLost: number;
}>({
  name: 'crashes',
  lasts: [200, 5_000],
  calm: [500, 5_000],
  own: {
    maxDown: option.optional(option.integer(0, Number.MAX_SAFE_INTEGER)),
    powerLost: option.withDefault(share(), 0.5),
  },
  waves({ nodes, random, own }) {
    const most = Math.min(own.maxDown ?? minority(nodes.length), nodes.length);
    if (most === 0) return undefined;
    return ({ begin, end }) => {
      const victims = shuffled(nodes, random).slice(0, 1 + Math.floor(random() * most));
      return victims.flatMap((node, index): ScheduledFault[] => [
        { at: begin, do: 'crash', node, power: random() < own.powerLost ? 'lost' : 'kept' },
        {
          at: index === 0 ? end : begin + Math.ceil((end - begin) * random()),
          do: 'restart',
          node,
        },
      ]);
    };
  },
});

/**
 * Stops a node's event loop for `lasts`, as a long garbage collection does: a random node each
 * time, or always `node`.
 */
export const pauses = nemesisOf<Victim>({
  name: 'pauses',
  lasts: [50, 3_000],
  calm: [500, 3_000],
  own: victim(),
  waves: ({ nodes, random, own }) =>
    onOne(nodes, own.node, random, (node, begin, end) => [
      { at: begin, do: 'pause', node, for: end - begin },
    ]),
});

/**
 * Makes each event of a node take `cost` milliseconds (default 1 to 20, drawn again each time). The
 * node is a random one each time, or always `node`.
 */
export const slowNode = nemesisOf<Victim & { readonly cost: DelayDistribution }>({
  name: 'slowNode',
  lasts: [1_000, 8_000],
  calm: [500, 3_000],
  own: { ...victim(), cost: option.withDefault(delay(), [1, 20]) },
  waves: ({ nodes, random, own }) =>
    onOne(nodes, own.node, random, (node, begin, end) => [
      { at: begin, do: 'slow', node, cost: rounded(draw(own.cost, random)) },
      { at: end, do: 'slow', node, cost: 0 },
    ]),
});

/**
 * Makes wall clocks jump forward or back by `skew` milliseconds (default 1 to 5,000), or both
 * clocks of a node run fast or slow by `drift` millionths for `lasts` (default up to 200; NTP
 * corrects up to 500). A jump is permanent, because `recover` does not set clocks.
 */
export const clockStorm = nemesisOf<{
  readonly skew: DelayDistribution;
  readonly drift: DelayDistribution;
}>({
  name: 'clockStorm',
  lasts: [500, 5_000],
  calm: [100, 2_000],
  own: {
    skew: option.withDefault(delay(), [1, 5_000]),
    drift: option.withDefault(delay(), [0, 200]),
  },
  waves: ({ nodes, random, own }) =>
    onOne(nodes, undefined, random, (node, begin, end) => {
      const sign = random() < 0.5 ? -1 : 1;
      if (random() < 0.5)
        return [{ at: begin, do: 'skew', node, by: sign * Math.round(draw(own.skew, random)) }];
      return [
        { at: begin, do: 'drift', node, ppm: sign * Math.round(draw(own.drift, random)) },
        { at: end, do: 'drift', node, ppm: 0 },
      ];
    }),
});

/**
 * Makes a node's disk slow and faulty: operations take up to `latency` ms (default 20), a sync up
 * to `sync` ms (default 200), and a share of the operations that can fail, up to `failure` (default
 * 0.3), fails. From the first disturbance on, all other settings of the disk have their defaults;
 * after it the disk is fast and has no failures. `recover` restores the settings of the simulation.
 */
export const diskTrouble = nemesisOf<
  Victim & { readonly latency: number; readonly sync: number; readonly failure: number }
>({
  name: 'diskTrouble',
  lasts: [500, 5_000],
  calm: [500, 4_000],
  own: {
    ...victim(),
    latency: option.withDefault(time(), 20),
    sync: option.withDefault(time(), 200),
    failure: option.withDefault(share(), 0.3),
  },
  waves: ({ nodes, random, own }) =>
    onOne(nodes, own.node, random, (node, begin, end) => {
      const disk = {
        latency: [0, Math.round(own.latency * random())],
        sync: [0, Math.round(own.sync * random())],
        failure: rounded(own.failure * random()),
      } as const;
      return [
        { at: begin, do: 'disk', node, disk },
        { at: end, do: 'disk', node, disk: {} },
      ];
    }),
});

/**
 * Takes nodes out of the group one after the other, and puts them back within `lasts`, by the
 * functions that the scenario gave to `Simulation.membership`. At least `least` nodes stay in the
 * group (default: a majority of all nodes). The scenario decides how changes overlap, and what it
 * does if one can't be made now.
 */
export const membership = nemesisOf<{ readonly least: number | undefined }>({
  name: 'membership',
  lasts: [1_000, 8_000],
  calm: [500, 4_000],
  own: { least: option.optional(option.integer(0, Number.MAX_SAFE_INTEGER)) },
  waves({ nodes, random, own }) {
    const most = nodes.length - (own.least ?? Math.floor(nodes.length / 2) + 1);
    if (most <= 0) return undefined;
    return ({ begin, end }) => {
      const leaving = shuffled(nodes, random).slice(0, 1 + Math.floor(random() * most));
      const middle = (begin + end) / 2;
      return leaving.flatMap((node, index): ScheduledFault[] => [
        {
          at: index === 0 ? begin : Math.ceil(begin + (middle - begin) * random()),
          do: 'remove',
          node,
        },
        { at: index === 0 ? end : Math.ceil(middle + (end - middle) * random()), do: 'add', node },
      ]);
    };
  },
});

/** Returns the largest number of nodes that can be down while a majority is up; at least one. */
export function minority(nodes: number): number {
  return Math.max(1, Math.floor((nodes - 1) / 2));
}

interface Victim {
  /** The node that is always affected. Default: a random node each time. */
  readonly node: string | undefined;
}

function victim() {
  return {
    node: option.optional(
      option.reference<string>(
        (value) => typeof value === 'string' && value !== '',
        'the name of a node',
      ),
    ),
  };
}

function time() {
  return option.reference<number>(
    (value) => typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY,
    'milliseconds, 0 or more',
  );
}

function onOne(
  nodes: readonly string[],
  always: string | undefined,
  random: () => number,
  faults: (node: string, begin: number, end: number) => ScheduledFault[],
) {
  if (nodes.length === 0) return undefined;
  return ({ begin, end }: { readonly begin: number; readonly end: number }) =>
    faults(always ?? pick(nodes, random), begin, end);
}
