// Two nodes on the same topics.

import type { TopicOptions } from '../types.ts';
import { cluster, listen, type Run, simulationOf, type TestNode } from './cluster.ts';

/** Sets up two nodes that open topics, and waits until they are neighbors on all of them. */
export async function openPair<T>(run: Run, open: (node: TestNode) => T) {
  const sim = simulationOf(run);
  const opened = new Map<string, T>();
  const nodes = cluster(sim, ['a', 'b'], {
    setup: (node) => void opened.set(node.name, open(node)),
  });
  const hasMet = ({ gossip }: TestNode) =>
    gossip.snapshot().topics.every(({ neighbors }) => neighbors.length === 1);
  await sim.until(() => nodes.size === 2 && [...nodes.values()].every(hasMet), 20_000);
  return { sim, nodes, a: opened.get('a')!, b: opened.get('b')! };
}

/**
 * Sets up two nodes on topics; the second node uses these options for its readers and validators.
 */
export async function pair(run: Run, topics: Readonly<Record<string, TopicOptions<string>>>) {
  const { sim, nodes, ...opened } = await openPair(run, (node) =>
    Object.keys(topics).map((name) => listen(node, name, node.name === 'b' ? topics[name] : {})),
  );
  return { sim, a: nodes.get('a')!, b: nodes.get('b')!, from: opened.a, at: opened.b };
}
