// Two nodes on the same topics.

import type { TopicOptions } from '../types.ts';
import { areMet, cluster, listen, type Run, type Subscriber, simulationOf } from './cluster.ts';

/**
 * Sets up two nodes on topics; the second node uses these options for its readers and validators.
 */
export async function pair(run: Run, topics: Readonly<Record<string, TopicOptions<string>>>) {
  const sim = simulationOf(run);
  const subscribers = new Map<string, Subscriber[]>();
  const names = Object.keys(topics);
  const nodes = cluster(sim, ['a', 'b'], {
    setup: (node) =>
      subscribers.set(
        node.name,
        names.map((name) => listen(node, name, node.name === 'b' ? topics[name] : {})),
      ),
  });
  await sim.until(
    () => nodes.size === 2 && [...subscribers.values()].every((each) => areMet(each, 1)),
    20_000,
  );
  const [a, b] = [nodes.get('a')!, nodes.get('b')!];
  return { sim, a, b, from: subscribers.get('a')!, at: subscribers.get('b')! };
}
