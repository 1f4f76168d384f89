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
    case 'seen': {
      const seen = { scenario: 'seen', nodes };
      return [
        ...[0, bookOf(nodes)].flatMap((book) => each(scale.seeds, { ...seen, share: 0.95, book })),
        ...SHARES.slice(0, -1).flatMap((share) => each(few, { ...seen, share, book: 0 })),
      ];
    }
    case 'unseen':
      return UNSEEN.flatMap((how) =>
        SHARES.flatMap((share) => each(few, { scenario: 'unseen', nodes, share, how })),
      );
    case 'trees':
      return each(few, { scenario: 'stable', nodes });
    case 'mending': {
      const mending = (how: string, shares: readonly number[]) =>
        shares.flatMap((share) => each(few, { scenario: 'mending', nodes, share, how }));
      return [
        ...mending('one', MENDING_SHARES),
        ...mending('many', MENDING_MORE),
        ...mending('keep-alive', MENDING_MORE),
      ];
    }
    case 'churn':
      return [...new Set([scale.fewNodes, nodes])].flatMap((count) =>
        each(few, { scenario: 'churn', nodes: count }),
      );
    case 'swarm':
      return scale.swarms.flatMap((count) =>
        SENDERS.flatMap((how) => each(scale.swarmSeeds, { scenario: 'swarm', nodes: count, how })),
      );
    case 'attacks':
      return [
        ...ATTACKS.flatMap((scenario) =>
          each(scale.attackSeeds, { scenario, nodes: scale.honest }),
        ),
        ...each(scale.eclipseSeeds, { scenario: 'eclipse', nodes: scale.eclipsed }),
      ];
  }
}

export function bookOf(nodes: number): number {
  return Math.min(BOOK, nodes / 10);
}

function each(seeds: readonly number[], job: Omit<Job, 'seed'>): Job[] {
  return seeds.map((seed) => ({ ...job, seed }));
}
