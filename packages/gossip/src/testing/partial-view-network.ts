// A network of nodes over partial views, which learn of each other from peers.

import { partialView } from '../overlay/partial-view.ts';
import type { TopicOptions } from '../types.ts';
import { cluster, listen, type Run, type Subscriber, simulationOf } from './cluster.ts';

/** A small partial view, which shuffles and merges often. */
export const overlay = partialView({
  active: 3,
  passive: 12,
  shuffleInterval: 5_000,
  mergeInterval: 20_000,
});

/** Sets up nodes that know only the first node, and learn of others from peers. */
export function network(
  run: Run,
  count: number,
  options: TopicOptions<string> = {},
  late: readonly string[] = [],
) {
  const sim = simulationOf(run);
  const names = Array.from({ length: count }, (_, i) => `n${String(i).padStart(2, '0')}`);
  const subscribers = new Map<string, Subscriber>();
  const nodes = cluster(sim, names, {
    gossip: () => ({ overlay }),
    peers: (name) => ({
      maxOutbound: 10,
      persistent: [],
      seeds: name === 'n00' ? [] : ['n00'],
      exchange: { interval: 2_000 },
    }),
    setup: (node) => {
      if (!late.includes(node.name)) subscribers.set(node.name, listen(node, 'news', options));
    },
  });
  const subscriber = (name: string) => subscribers.get(name)!;
  return { sim, names, nodes, subscribers, subscriber };
}
