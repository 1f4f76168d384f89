// The jobs that each part of the evaluation consists of.

import type { Job } from './job.ts';
import type { Scale } from './scale.ts';

export type PartName = 'seen' | 'unseen' | 'trees' | 'mending' | 'churn' | 'swarm' | 'attacks';
export const PARTS: readonly PartName[] = [
  'seen',
  'unseen',
  'trees',
  'mending',
  'churn',
  'swarm',
  'attacks',
];

/** Shares of the nodes that fail. */
export const SHARES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95] as const;
/** Entries of each node's address book, if it has one: a tenth of all at 10,000 nodes. */
export const BOOK = 1_000;
export const UNSEEN = ['send', 'resend', 'idle', 'keep-alive'] as const;
export const MENDING_SHARES = [0.1, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] as const;
/** The shares among them at which other senders and other ways to notice failures are tried. */
export const MENDING_MORE = [0.4, 0.6, 0.8] as const;
export const SENDERS = ['one', 'many', 'burst'] as const;
export const ATTACKS = ['sybils', 'covert-flash', 'cold-boot', 'dawn'] as const;

/** Returns the jobs of a part, the most important first. */
export function jobsOf(part: PartName, scale: Scale): Job[] {
  const { nodes, few } = scale;
  switch (part) {
    case 'seen':
      return [
        ...scale.seeds.flatMap((seed): Job[] =>
          [0, bookOf(nodes)].map((book) => ({ scenario: 'seen', seed, nodes, share: 0.95, book })),
        ),
        ...each(few, SHARES.slice(0, -1), (seed, share) => ({
          scenario: 'seen',
          seed,
          nodes,
          share,
          book: 0,
        })),
      ];
    case 'unseen':
      return UNSEEN.flatMap((how) =>
        each(few, SHARES, (seed, share) => ({ scenario: 'unseen', seed, nodes, share, how })),
      );
    case 'trees':
      return few.map((seed) => ({ scenario: 'stable', seed, nodes }));
    case 'mending':
      return [
        ...each(few, MENDING_SHARES, (seed, share) => ({
          scenario: 'mending',
          seed,
          nodes,
          share,
          how: 'one',
        })),
        ...['many', 'keep-alive'].flatMap((how) =>
          each(few, MENDING_MORE, (seed, share) => ({
            scenario: 'mending',
            seed,
            nodes,
            share,
            how,
          })),
        ),
      ];
    case 'churn':
      return [...new Set([scale.fewNodes, nodes])].flatMap((count) =>
        few.map((seed): Job => ({ scenario: 'churn', seed, nodes: count })),
      );
    case 'swarm':
      return scale.swarms.flatMap((count) =>
        each(scale.swarmSeeds, SENDERS, (seed, how) => ({
          scenario: 'swarm',
          seed,
          nodes: count,
          how,
        })),
      );
    case 'attacks':
      return [
        ...ATTACKS.flatMap((scenario) =>
          scale.attackSeeds.map((seed): Job => ({ scenario, seed, nodes: scale.honest })),
        ),
        ...scale.eclipseSeeds.map(
          (seed): Job => ({ scenario: 'eclipse', seed, nodes: scale.eclipsed }),
        ),
      ];
  }
}

export function bookOf(nodes: number): number {
  return Math.min(BOOK, nodes / 10);
}

function each<T>(
  seeds: readonly number[],
  values: readonly T[],
  make: (seed: number, value: T) => Job,
): Job[] {
  return values.flatMap((value) => seeds.map((seed) => make(seed, value)));
}
