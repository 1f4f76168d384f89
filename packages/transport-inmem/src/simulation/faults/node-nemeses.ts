// Ready nemeses of the nodes: crashes, restarts, pauses, slow CPUs, wrong clocks and failing disks.

import { integer, optional, reference, withDefault } from '@trunkline/transport-core';
import { type Delay, draw, pick, shuffled } from '../world/chance.ts';
import type { ScheduledFault } from './fault.ts';
import { delay, nemesisOf, rounded, share } from './plan.ts';

/** One node after the other, in order of declaration and round again, is down for `lasts`; the next follows after `calm`. */
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
 * Some nodes crash at once, at most `maxDown` of them, and come back one by one within `lasts`. Default: a minority, or one of fewer than
 * three. A share of them, `powerLost`, goes with no reset for the others; default a half.
 */
export const crashes = nemesisOf<{ readonly maxDown: number | undefined; readonly powerLost: number }>({
  name: 'crashes',
  lasts: [200, 5_000],
  calm: [500, 5_000],
  own: { maxDown: optional(integer(0, Number.MAX_SAFE_INTEGER)), powerLost: withDefault(share(), 0.5) },
  waves({ nodes, random, own }) {
    const most = Math.min(own.maxDown ?? minority(nodes.length), nodes.length);
    if (most === 0) return undefined;
    return ({ begin, end }) => {
      const victims = shuffled(nodes, random).slice(0, 1 + Math.floor(random() * most));
      return victims.flatMap((node, index): ScheduledFault[] => [
        { at: begin, do: 'crash', node, power: random() < own.powerLost ? 'lost' : 'kept' },
        { at: index === 0 ? end : begin + Math.ceil((end - begin) * random()), do: 'restart', node },
      ]);
    };
  },
});

/** A node's event loop stands still for `lasts`, as at a long collection of garbage; another's each time, or `node`'s. */
export const pauses = nemesisOf<Victim>({
  name: 'pauses',
  lasts: [50, 3_000],
  calm: [500, 3_000],
  own: victim(),
  waves: ({ nodes, random, own }) => onOne(nodes, own.node, random, (node, begin, end) => [{ at: begin, do: 'pause', node, for: end - begin }]),
});

/** Each event costs a node `cost` milliseconds, drawn anew each time: another node, or always `node`. Default 1 to 20. */
export const slowNode = nemesisOf<Victim & { readonly cost: Delay }>({
  name: 'slowNode',
  lasts: [1_000, 8_000],
  calm: [500, 3_000],
  own: { ...victim(), cost: withDefault(delay(), [1, 20]) },
  waves: ({ nodes, random, own }) =>
    onOne(nodes, own.node, random, (node, begin, end) => [
      { at: begin, do: 'slow', node, cost: rounded(draw(own.cost, random)) },
      { at: end, do: 'slow', node, cost: 0 },
    ]),
});

/**
 * Clocks jump forward and back by `skew` milliseconds (default 1 to 5,000), or run fast or slow by `drift` millionths for `lasts` (default
 * up to 50,000, five percent). What they jumped by stays wrong for good, as `recover` sets no clock.
 */
export const clockStorm = nemesisOf<{ readonly skew: Delay; readonly drift: Delay }>({
  name: 'clockStorm',
  lasts: [500, 5_000],
  calm: [100, 2_000],
  own: { skew: withDefault(delay(), [1, 5_000]), drift: withDefault(delay(), [0, 50_000]) },
  waves: ({ nodes, random, own }) =>
    onOne(nodes, undefined, random, (node, begin, end) => {
      const sign = random() < 0.5 ? -1 : 1;
      if (random() < 0.5) return [{ at: begin, do: 'skew', node, by: sign * Math.round(draw(own.skew, random)) }];
      return [
        { at: begin, do: 'drift', node, ppm: sign * Math.round(draw(own.drift, random)) },
        { at: end, do: 'drift', node, ppm: 0 },
      ];
    }),
});

/**
 * A node's disk is slow and fails: operations take up to `latency` ms (default 20), a sync up to `sync` (default 200), and a share up to
 * `failure` of them (default 0.3) fails. Then it is without fault; what the simulation says of disks holds again from `recover` on.
 */
export const diskTrouble = nemesisOf<Victim & { readonly latency: number; readonly sync: number; readonly failure: number }>({
  name: 'diskTrouble',
  lasts: [500, 5_000],
  calm: [500, 4_000],
  own: { ...victim(), latency: withDefault(time(), 20), sync: withDefault(time(), 200), failure: withDefault(share(), 0.3) },
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

/** As many nodes as may be down while a majority is up; one, where that would be none. */
export function minority(nodes: number): number {
  return Math.max(1, Math.floor((nodes - 1) / 2));
}

interface Victim {
  /** Always this one. Default: another each time. */
  readonly node: string | undefined;
}

function victim() {
  return { node: optional(reference<string>((value) => typeof value === 'string' && value !== '', 'the name of a node')) };
}

function time() {
  return reference<number>((value) => typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY, 'milliseconds from 0 on');
}

function onOne(
  nodes: readonly string[],
  always: string | undefined,
  random: () => number,
  faults: (node: string, begin: number, end: number) => ScheduledFault[],
) {
  if (nodes.length === 0) return undefined;
  return ({ begin, end }: { readonly begin: number; readonly end: number }) => faults(always ?? pick(nodes, random), begin, end);
}
