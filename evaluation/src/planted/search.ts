// The number of seeds after which the default search finds each planted bug.

import { explore, type Simulation } from '@trunkline/simulation';
import { LOCK_BUGS, type LockBug, lockScenario } from './lock.ts';
import { REPLICATION_BUGS, type ReplicationBug } from './replication-protocol.ts';
import { replicationScenario } from './replication-scenario.ts';

/** A planted bug. */
export interface Planted {
  readonly protocol: 'replication' | 'lock';
  readonly name: string;
  /** What is wrong. */
  readonly does: string;
  readonly scenario: (sim: Simulation) => Promise<void>;
}

/** All planted bugs. */
export const PLANTED: readonly Planted[] = [
  ...Object.entries(REPLICATION_BUGS).map(([name, does]) => ({
    protocol: 'replication' as const,
    name,
    does,
    scenario: replicationScenario(name as ReplicationBug),
  })),
  ...Object.entries(LOCK_BUGS).map(([name, does]) => ({
    protocol: 'lock' as const,
    name,
    does,
    scenario: lockScenario(name as LockBug),
  })),
];

/** How a bug was found. */
export interface Found {
  readonly bug: Planted;
  /** The median number of seeds, over all first seeds; undefined if it is above the limit. */
  readonly median: number | undefined;
  readonly least: number | undefined;
  /** The profiles that found it, the most frequent one first. */
  readonly profiles: readonly string[];
}

/**
 * Searches for a bug from several first seeds, with up to `seeds` seeds each and the default
 * profiles. Stops as soon as most of the searches have missed it.
 */
export async function find(bug: Planted, firsts: number, seeds: number): Promise<Found> {
  const counts: number[] = [];
  const profiles = new Map<string, number>();
  for (let start = 0; start < firsts && (start - counts.length) * 2 <= firsts; start++) {
    // A prime, so that the searches begin with different profiles.
    const seed = 1 + 1_009 * start;
    const failure = await failureOf(bug.scenario, seed, seeds);
    if (failure === undefined) continue;
    counts.push(failure.seed - seed + 1);
    const profile = failure.profile ?? 'none';
    profiles.set(profile, (profiles.get(profile) ?? 0) + 1);
  }
  counts.sort((a, b) => a - b);
  return {
    bug,
    median: counts[Math.floor(firsts / 2)],
    least: counts[0],
    profiles: [...profiles].sort((a, b) => b[1] - a[1]).map(([name]) => name),
  };
}

/** Returns the first failure of a default search, which is not shrunk. */
export async function failureOf(
  scenario: Planted['scenario'],
  seed: number,
  seeds: number,
): Promise<{ readonly seed: number; readonly profile: string | undefined } | undefined> {
  const options = { shrink: false, record: 0, irreproducible: 'ignore' } as const;
  return (await explore({ scenario, seed, seeds, ...options })).failed[0];
}
