// A network of nodes over partial views, which learn of each other from peers.

import { partialView } from '../overlay/partial-view.ts';
import type { TopicOptions } from '../types.ts';
import { type MeetOptions, meet, namesOf, type Run } from './cluster.ts';

/** A small partial view, which shuffles and merges often. */
export const overlay = partialView({
  active: 3,
  passive: 12,
  shuffleInterval: 5_000,
  mergeInterval: 20_000,
});

/**
 * Sets up nodes that know only the first node and learn of others from peers, and waits until each
 * has a neighbor. Nodes that are `late` don't listen yet.
 */
export async function network(
  run: Run,
  count: number,
  options: TopicOptions<string> = {},
  late: readonly string[] = [],
  others: MeetOptions = {},
) {
  const names = namesOf(count);
  const made = await meet(run, names, {
    gossip: () => ({ overlay }),
    peers: (name) => ({
      maxOutbound: 10,
      persistent: [],
      seeds: name === 'n00' ? [] : ['n00'],
      exchange: { interval: 2_000 },
    }),
    topic: (name) => (late.includes(name) ? undefined : options),
    neighbors: 1,
    ...others,
  });
  return { names, ...made };
}
