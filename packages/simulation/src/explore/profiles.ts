// The profiles of a search: the conditions under which its seeds run in turn, because the
// conditions that reveal one bug can hide another.

import type { ScheduledFault } from '../faults/fault.ts';
import type { Nemesis } from '../faults/nemesis.ts';
import { isolate, splitBrain } from '../faults/network-nemeses.ts';
import { clockStorm, crashes } from '../faults/node-nemeses.ts';
import { compose } from '../faults/swarm.ts';
import { CALM, type LinkOptions, linkSettings } from '../network/link-settings.ts';
import {
  LINES,
  LONG_PAUSE,
  MACHINES,
  mixtureOf,
  rollingPartition,
  SHORT_PAUSE,
  somePauses,
} from './real-faults.ts';

/** The conditions of a run: a link, and the faults that a nemesis plans. */
export interface ExploreProfile {
  /** The name in reports and replay lines: 1 to 50 letters, digits and underscores. */
  readonly name: string;
  /** The settings of every link. Default: the `link` of the search. */
  readonly link?: LinkOptions | undefined;
  /** The faults. Default: the `nemesis` of the search. */
  readonly nemesis?: Nemesis | readonly ScheduledFault[] | undefined;
}

/** The name of a ready-made profile. */
export type ProfileName =
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
  | 'swarm';

/**
 * The ready-made profiles, in the order in which the seeds of a search use them: seed 1 runs under
 * `constantLatency`, seed 2 under `jitter`, and seed 13 under `constantLatency` again.
 *
 * - `constantLatency`: every message takes 10 ms. Answers to simultaneous requests arrive together,
 * which random latencies would prevent.
 * - `jitter`: a message takes 1 to 50 ms; one or two nodes pause for 20 ms to 4 s, again and again.
 * - `loss`: a message takes 5 to 15 ms; 2 % of them are lost.
 * - `longLines`: lines between continents: 100 ms or more, and 10 Mbit/s; pauses as in `jitter`.
 * - `longPartitions`: a few partitions of 4 to 12 s each, either into two sides or of one node.
 * - `rollingPartitions`: one node after the other is cut off, without calm, each for 150 ms to 4 s;
 * these times are about equal in one run.
 * - `crashStorms`: crashes in quick succession, with up to all nodes down at once; in half of the
 * crashes, the node loses power.
 * - `longPauses`: one or two nodes pause for 500 ms to 30 s, again and again.
 * - `wrongClocks`: wall clocks jump by up to 5 s, all clocks drift by up to 200 ppm, and pauses as
 *   in `jitter`.
 * - `machineFaults`: one to three of these: crashes, rolling restarts, pauses, slow nodes, wrong
 * clocks, and disks that are slow and lose or tear writes that were not synced.
 * - `networkFaults`: one to three of these: partitions of all shapes, and lines that flap, lose
 * messages, are slow, hold messages back or reset connections.
 * - `swarm`: one to three of the faults of machines, and one to three of those of the network.
 */
export const profiles: Readonly<Record<ProfileName, ExploreProfile>> = {
  constantLatency: { name: 'constantLatency', link: { latency: 10 } },
  jitter: { name: 'jitter', link: { latency: [1, 50] }, nemesis: somePauses(SHORT_PAUSE) },
  loss: { name: 'loss', link: { latency: [5, 15], loss: 0.02 } },
  longLines: {
    name: 'longLines',
    link: { latency: { lognormal: 130, sigma: 0.3, least: 100 }, bandwidth: 1_250_000 },
    nemesis: somePauses(SHORT_PAUSE),
  },
  longPartitions: {
    name: 'longPartitions',
    link: { latency: [1, 20] },
    nemesis: {
      name: 'longPartitions',
      plan(context) {
        const shape = context.random() < 0.5 ? splitBrain : isolate;
        return shape({ lasts: [4_000, 12_000], calm: [2_000, 8_000] }).plan(context);
      },
    },
  },
  rollingPartitions: {
    name: 'rollingPartitions',
    link: { latency: [1, 20] },
    nemesis: mixtureOf('rollingPartitions', [rollingPartition]),
  },
  crashStorms: {
    name: 'crashStorms',
    link: { latency: [1, 20] },
    nemesis: crashes({
      lasts: [50, 1_500],
      calm: [50, 1_500],
      maxDown: Number.MAX_SAFE_INTEGER,
    }),
  },
  longPauses: { name: 'longPauses', link: { latency: [1, 20] }, nemesis: somePauses(LONG_PAUSE) },
  wrongClocks: {
    name: 'wrongClocks',
    link: { latency: [1, 20] },
    nemesis: compose(clockStorm(), somePauses(SHORT_PAUSE)),
  },
  machineFaults: {
    name: 'machineFaults',
    link: { latency: [1, 20] },
    nemesis: mixtureOf('machineFaults', MACHINES),
  },
  networkFaults: {
    name: 'networkFaults',
    link: { latency: [1, 20] },
    nemesis: mixtureOf('networkFaults', LINES),
  },
  swarm: {
    name: 'swarm',
    link: { latency: [1, 50] },
    nemesis: mixtureOf('swarm', MACHINES, LINES),
  },
};

/** The options that determine the profiles of a search. */
export interface Conditions {
  readonly profiles?: readonly (ProfileName | ExploreProfile)[] | undefined;
  readonly link?: LinkOptions | undefined;
  readonly nemesis?: Nemesis | readonly ScheduledFault[] | undefined;
}

/**
 * Returns the profiles of a search: the given ones, or all ready-made ones if it sets neither a
 * link nor a nemesis.
 *
 * @throws TypeError that names the invalid profile.
 */
export function profilesOf({
  profiles: given,
  link,
  nemesis,
}: Conditions): readonly ExploreProfile[] {
  if (given === undefined)
    return link === undefined && nemesis === undefined ? Object.values(profiles) : [];
  const list = given.map((profile) => (typeof profile === 'string' ? readyMade(profile) : profile));
  for (const { name, link: own } of list) {
    if (typeof name !== 'string' || !/^\w{1,50}$/.test(name))
      throw new TypeError(
        `explore: profiles: name must be 1 to 50 letters, digits and underscores, got ${JSON.stringify(name)}`,
      );
    linkSettings(CALM, own ?? {}, `explore: profiles: ${name}: link`);
  }
  const names = list.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined)
    throw new TypeError(
      `explore: profiles: two of them have the name '${twice}': rename one of them`,
    );
  return list;
}

/** Returns the profile under which a seed runs; undefined if there are none. */
export function profileOf(
  profiles: readonly ExploreProfile[],
  seed: number,
): ExploreProfile | undefined {
  const { length } = profiles;
  // Seed 1 has the first profile. The remainder of a negative number is negative.
  return length === 0 ? undefined : profiles[(((seed - 1) % length) + length) % length];
}

function readyMade(name: string): ExploreProfile {
  const profile = Object.hasOwn(profiles, name) ? profiles[name as ProfileName] : undefined;
  if (profile === undefined)
    throw new TypeError(
      `explore: profiles: must be names (${Object.keys(profiles).join(', ')}) or profiles { name, link?, nemesis? }, got ${JSON.stringify(name)}`,
    );
  return profile;
}
